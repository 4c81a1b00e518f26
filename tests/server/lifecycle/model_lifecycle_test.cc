// SPDX-License-Identifier: Apache-2.0
#include "server/lifecycle/model_lifecycle.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "server/error_details.h"
#include "server/model_hub.h"
#include "tests/server/lifecycle/fake_repository.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Changes = absl::StatusOr<std::vector<ModelChange>>;

MATCHER_P3(IsChange, model, before, after, "") {
  *result_listener << arg.model << " " << arg.version_before << " -> " << arg.version_after;
  return arg.model == model && arg.version_before == before && arg.version_after == after;
}

// Models "street" (a student, versions 1 and 2, the alias "day") and "crowd" (an ensemble by itself).
class ModelLifecycleTest : public testing::Test {
 protected:
  ModelLifecycleTest() {
    disk_.Write("street/1", ModelKind::kStudent);
    disk_.Write("street/2", ModelKind::kStudent);
    disk_.Write("crowd", ModelKind::kEnsemble);
    config_ = disk_.Configuration({{"street", {"day"}}, {"crowd", {}}});
    config_.add_model_roots(disk_.At("root"));
  }
  ~ModelLifecycleTest() override { disk_.Release(); }

  void Start() {
    hub_ = std::make_unique<ModelHub>(std::shared_ptr<const ModelRegistry>(disk_.LoadAll(config_)));
    lifecycle_ = std::make_unique<ModelLifecycle>(
        config_, *hub_->Now(),
        ModelLifecycle::Surroundings{
            nullptr, disk_.loader(),
            [this](std::shared_ptr<const ModelRegistry> models) { hub_->Replace(std::move(models)); },
            [this](absl::string_view model, bool ok) {
              ++load_results_[absl::StrCat(model, ok ? " ok" : " failed")];
            }});
    lifecycle_->Open();
  }

  // The outcome of a change, once it has ended.
  class Pending {
   public:
    ModelLifecycle::Done done() {
      return [state = state_](Changes changes) {
        state->changes = std::move(changes);
        state->has_ended.Notify();
      };
    }
    Changes Wait() {
      state_->has_ended.WaitForNotification();
      return state_->changes;
    }

   private:
    struct Outcome {
      Changes changes = absl::UnknownError("not yet");
      absl::Notification has_ended;
    };
    std::shared_ptr<Outcome> state_ = std::make_shared<Outcome>();
  };

  Changes Load(const std::string& model, int version = 0) {
    Pending pending;
    lifecycle_->Load(model, version, pending.done());
    return pending.Wait();
  }
  Changes Unload(const std::string& model) {
    Pending pending;
    lifecycle_->Unload(model, pending.done());
    return pending.Wait();
  }
  Changes Reload(const std::string& model = "") {
    Pending pending;
    lifecycle_->Reload(model, pending.done());
    return pending.Wait();
  }
  Changes Rollback(const std::string& model) {
    Pending pending;
    lifecycle_->Rollback(model, pending.done());
    return pending.Wait();
  }
  // Returns once the configuration has been taken, or refused.
  void Configure(const v1::ServerConfig& config) {
    lifecycle_->Configure(config);
    while (absl::IsAborted(Reload("no such model").status())) {
    }
  }

  // What a call by this name would be answered by: 0 for no model.
  int Version(const std::string& name) const {
    const std::shared_ptr<const ModelRegistry> models = hub_->Now();
    const auto found = models->Find(name);
    return found.ok() ? (*found)->segmenter->info().version : 0;
  }
  std::string NameOf(const std::string& alias) const {
    const std::shared_ptr<const ModelRegistry> models = hub_->Now();
    const auto found = models->Find(alias);
    return found.ok() ? (*found)->segmenter->info().name : "";
  }

  FakeRepository disk_;
  v1::ServerConfig config_;
  std::map<std::string, int> load_results_;  // changed by the lifecycle's thread, read between changes
  std::unique_ptr<ModelHub> hub_;
  std::unique_ptr<ModelLifecycle> lifecycle_;
};

TEST_F(ModelLifecycleTest, StartsWithTheNewestVersionOrTheOneConfigured) {
  disk_.WriteHalf("street/3");
  Start();
  EXPECT_EQ(Version("street"), 2);
  lifecycle_.reset();
  config_.mutable_models(1)->set_version(1);  // the map orders by path: crowd, street
  Start();
  EXPECT_EQ(Version("street"), 1);
  EXPECT_THAT(Reload(), AllOf(IsOk()));
  EXPECT_EQ(Version("street"), 1);
}

TEST_F(ModelLifecycleTest, ReloadTakesTheNewestCompleteVersion) {
  Start();
  EXPECT_THAT(*Reload(), IsEmpty());
  disk_.WriteHalf("street/4");
  disk_.Write("street/3", ModelKind::kStudent);
  EXPECT_THAT(*Reload(), ElementsAre(IsChange("street", 2, 3)));
  EXPECT_EQ(Version("street"), 3);
  EXPECT_EQ(Version("day"), 3);
  EXPECT_EQ(load_results_["street ok"], 1);
}

TEST_F(ModelLifecycleTest, ReloadByNameSaysWhatIsServedEvenIfNothingIsNew) {
  Start();
  const int loads = disk_.loads();
  EXPECT_THAT(*Reload("day"), ElementsAre(IsChange("street", 2, 2)));
  EXPECT_EQ(disk_.loads(), loads);
}

TEST_F(ModelLifecycleTest, ABundleThatWasWrittenOverIsLoadedAgain) {
  Start();
  const std::string old = hub_->Now()->Find("crowd").value()->segmenter->info().digest;
  disk_.Remove("crowd");
  disk_.Write("crowd", ModelKind::kEnsemble, "other weights");
  EXPECT_THAT(*Reload(), ElementsAre(IsChange("crowd", 1, 1)));
  EXPECT_NE(hub_->Now()->Find("crowd").value()->segmenter->info().digest, old);
}

TEST_F(ModelLifecycleTest, AFailedLoadKeepsTheOldModelAndSaysWhy) {
  Start();
  disk_.Write("street/3", ModelKind::kStudent);
  const auto before = hub_->Now();
  const std::string why = disk_.At("street/3") + ": known answer: labels differ";
  disk_.FailWith("street/3", absl::DataLossError(why));
  const absl::Status damaged = Reload().status();
  EXPECT_THAT(damaged, HasStatus(absl::StatusCode::kDataLoss, why));
  EXPECT_EQ(ReasonOf(damaged), "MODEL_DAMAGED");
  disk_.FailWith("street/3", absl::InvalidArgumentError(why));
  const absl::Status refused = Load("street").status();
  EXPECT_THAT(refused, HasStatus(absl::StatusCode::kFailedPrecondition, why));
  EXPECT_EQ(ReasonOf(refused), "MODEL_REFUSED");
  EXPECT_EQ(hub_->Now(), before);
  EXPECT_EQ(load_results_["street failed"], 2);
  disk_.FailWith("street/3", absl::OkStatus());
  EXPECT_THAT(*Reload(), ElementsAre(IsChange("street", 2, 3)));
}

TEST_F(ModelLifecycleTest, OneBadModelKeepsReloadOfAllFromChangingAny) {
  Start();
  disk_.Write("street/3", ModelKind::kStudent);
  disk_.Remove("crowd");
  disk_.Write("crowd", ModelKind::kEnsemble, "other");
  disk_.FailWith("street/3", absl::DataLossError("damaged"));
  const auto before = hub_->Now();
  EXPECT_THAT(Reload(), HasStatus(absl::StatusCode::kDataLoss, "damaged"));
  EXPECT_EQ(hub_->Now(), before);
}

TEST_F(ModelLifecycleTest, RollbackServesTheVersionBeforeAndReloadOfAllDoesNotUndoIt) {
  Start();
  EXPECT_THAT(Rollback("street"), HasStatus(absl::StatusCode::kFailedPrecondition,
                                            HasSubstr("street: no version was served before version 2")));
  disk_.Write("street/3", ModelKind::kStudent);
  ASSERT_THAT(Reload(), IsOk());
  EXPECT_THAT(*Rollback("street"), ElementsAre(IsChange("street", 3, 2)));
  EXPECT_EQ(Version("day"), 2);
  EXPECT_THAT(*Reload(), IsEmpty());
  disk_.Write("street/4", ModelKind::kStudent);
  EXPECT_THAT(*Reload(), ElementsAre(IsChange("street", 2, 4)));
  EXPECT_THAT(*Rollback("street"), ElementsAre(IsChange("street", 4, 2)));
  EXPECT_THAT(*Rollback("street"), ElementsAre(IsChange("street", 2, 4)));  // and back
  EXPECT_THAT(*Rollback("street"), ElementsAre(IsChange("street", 4, 2)));
  EXPECT_THAT(*Reload("street"), ElementsAre(IsChange("street", 2, 4)));  // by name
}

TEST_F(ModelLifecycleTest, RollbackTakesAModelThatACallStillHolds) {
  Start();
  const std::shared_ptr<const ModelRegistry> call = hub_->Now();
  disk_.Write("street/3", ModelKind::kStudent);
  ASSERT_THAT(Reload(), IsOk());
  disk_.Remove("street/2");
  const int loads = disk_.loads();
  EXPECT_THAT(*Rollback("street"), ElementsAre(IsChange("street", 3, 2)));
  EXPECT_EQ(disk_.loads(), loads);
  EXPECT_EQ(hub_->Now()->Find("street").value()->segmenter, call->Find("street").value()->segmenter);
}

TEST_F(ModelLifecycleTest, RollbackToAVersionThatIsGoneFromTheDiskIsNotFound) {
  Start();
  disk_.Write("street/3", ModelKind::kStudent);
  ASSERT_THAT(Reload(), IsOk());
  disk_.Remove("street/2");
  EXPECT_THAT(Rollback("street"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("no complete version 2")));
  EXPECT_EQ(Version("street"), 3);
}

TEST_F(ModelLifecycleTest, TheOldModelGoesWithItsLastCall) {
  Start();
  std::shared_ptr<const ModelRegistry> call = hub_->Now();
  disk_.Write("street/3", ModelKind::kStudent);
  ASSERT_THAT(Reload(), IsOk());
  EXPECT_NE(disk_.Loaded("street/2"), nullptr);
  call.reset();
  EXPECT_EQ(disk_.Loaded("street/2"), nullptr);
}

TEST_F(ModelLifecycleTest, LoadsANamedVersionAndReloadOfAllKeepsIt) {
  Start();
  EXPECT_THAT(*Load("day", 1), ElementsAre(IsChange("street", 2, 1)));
  EXPECT_THAT(*Reload(), IsEmpty());
  EXPECT_THAT(Load("street", 7), HasStatus(absl::StatusCode::kNotFound, HasSubstr("no complete version 7")));
  EXPECT_THAT(*Load("street"), ElementsAre(IsChange("street", 1, 2)));
}

TEST_F(ModelLifecycleTest, UnloadTakesAModelAwayAndLoadBringsItBack) {
  Start();
  EXPECT_THAT(*Unload("day"), ElementsAre(IsChange("street", 2, 0)));
  EXPECT_EQ(Version("street"), 0);
  EXPECT_EQ(Version("day"), 0);
  EXPECT_EQ(NameOf(""), "crowd");  // the default follows its rule
  EXPECT_THAT(Unload("street"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("no model is called \"street\"")));
  EXPECT_THAT(Unload("crowd"), HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("at least one is needed")));
  EXPECT_EQ(NameOf(""), "crowd");
  EXPECT_THAT(*Load("street"), ElementsAre(IsChange("street", 0, 2)));
  EXPECT_EQ(NameOf("day"), "street");
}

TEST_F(ModelLifecycleTest, AModelThatDefaultModelNamesStays) {
  config_.set_default_model("street");
  Start();
  EXPECT_THAT(Unload("street"), HasStatus(absl::StatusCode::kFailedPrecondition, StartsWith("default_model: ")));
  EXPECT_EQ(Version("street"), 2);
}

TEST_F(ModelLifecycleTest, LoadsByNameFromTheRootsOnly) {
  disk_.Write("root/night/4", ModelKind::kSingle);
  disk_.Write("elsewhere/1", ModelKind::kSingle);
  Start();
  EXPECT_THAT(*Load("night"), ElementsAre(IsChange("night", 0, 4)));
  EXPECT_EQ(Version("night"), 4);
  for (const char* name : {"elsewhere", "../elsewhere", "root"}) {
    const absl::Status status = Load(name).status();
    EXPECT_THAT(status, HasStatus(absl::StatusCode::kNotFound, StartsWith("model: no model is called")));
    EXPECT_EQ(ReasonOf(status), kModelNotFound);
  }
  EXPECT_THAT(Load(""), HasStatus(absl::StatusCode::kInvalidArgument, "model: must not be empty"));
}

TEST_F(ModelLifecycleTest, ASecondStudentWithoutAnAliasIsRefused) {
  disk_.Write("root/night/1", ModelKind::kStudent);
  Start();
  EXPECT_THAT(Load("night"), HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("\"student\"")));
  EXPECT_EQ(Version("night"), 0);
}

TEST_F(ModelLifecycleTest, ASecondChangeIsAbortedAndTheFirstOneEnds) {
  Start();
  disk_.Write("street/3", ModelKind::kStudent);
  const int loads = disk_.loads();
  disk_.Block();
  Pending first;
  lifecycle_->Reload("", first.done());
  disk_.WaitForLoads(loads + 1);
  const absl::Status second = Unload("crowd").status();
  EXPECT_THAT(second, HasStatus(absl::StatusCode::kAborted, HasSubstr("(reload)")));
  EXPECT_EQ(ReasonOf(second), "CHANGE_UNDER_WAY");
  EXPECT_EQ(Version("street"), 2);  // served all the while
  disk_.Release();
  EXPECT_THAT(*first.Wait(), ElementsAre(IsChange("street", 2, 3)));
  EXPECT_THAT(Unload("crowd"), IsOk());
}

TEST_F(ModelLifecycleTest, RefusesChangesBeforeOpenAndAfterClose) {
  Start();
  lifecycle_->Close();
  EXPECT_THAT(Reload(), HasStatus(absl::StatusCode::kUnavailable, HasSubstr("shutting down")));
}

TEST_F(ModelLifecycleTest, ANewConfigurationMovesAnAliasAddsAndRemovesModelsAtOnce) {
  disk_.Write("night/5", ModelKind::kSingle);
  Start();
  v1::ServerConfig next = disk_.Configuration({{"crowd", {"day"}}, {"night", {"dark"}}});
  next.set_default_model("dark");
  Configure(next);
  EXPECT_EQ(NameOf("day"), "crowd");
  EXPECT_EQ(NameOf("dark"), "night");
  EXPECT_EQ(NameOf(""), "night");
  EXPECT_EQ(Version("street"), 0);
  EXPECT_EQ(load_results_["crowd ok"], 0);  // not loaded again
  Configure(config_);
  EXPECT_EQ(NameOf("day"), "street");
  EXPECT_EQ(NameOf(""), "street");
  EXPECT_EQ(Version("night"), 0);
}

TEST_F(ModelLifecycleTest, AConfigurationThatCannotBeServedChangesNothing) {
  Start();
  const auto before = hub_->Now();
  Configure(disk_.Configuration({{"crowd", {}}, {"missing", {}}}));
  EXPECT_EQ(hub_->Now(), before);
  Configure(disk_.Configuration({{"crowd", {"street"}}, {"street", {}}}));
  EXPECT_EQ(hub_->Now(), before);
}

TEST_F(ModelLifecycleTest, ListsWhatIsOnDiskAndWhatOfItIsServed) {
  disk_.Write("root/night/4", ModelKind::kSingle);
  disk_.WriteHalf("street/3");
  Start();
  ASSERT_THAT(Load("street", 1), IsOk());
  const absl::StatusOr<std::vector<ModelOnDisk>> all = lifecycle_->List("");
  ASSERT_THAT(all, IsOk());
  EXPECT_THAT(*all, ElementsAre(Field(&ModelOnDisk::name, "crowd"), Field(&ModelOnDisk::name, "street"),
                                Field(&ModelOnDisk::name, "night")));
  EXPECT_EQ((*all)[2].served_version, 0);
  EXPECT_EQ((*all)[2].place, disk_.At("root/night"));
  const absl::StatusOr<std::vector<ModelOnDisk>> street = lifecycle_->List("street");
  ASSERT_THAT(street, IsOk());
  ASSERT_EQ(street->size(), 1U);
  EXPECT_EQ(street->front().served_version, 1);
  EXPECT_EQ(street->front().previous_version, 2);
  EXPECT_EQ(street->front().versions.size(), 3U);
  EXPECT_FALSE(street->front().versions[2].is_complete);
  EXPECT_THAT(lifecycle_->List("nothing"), HasStatus(absl::StatusCode::kNotFound, StartsWith("model: ")));
}

}  // namespace
}  // namespace candor
