// SPDX-License-Identifier: Apache-2.0
//
// Members trained on a data set on disk.
#include "trainer/training/training_run.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "core/model/bundle.h"
#include "core/model/safetensors.h"
#include "tests/trainer/training/training_fixture.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class TrainingRunTest : public TrainingFixture {
 protected:
  absl::StatusOr<RunOutcome> Train(const TrainOptions& options, const RunControl& control) {
    return TrainMember(options, Run("run"), 0, control);
  }
  std::string Folder() const { return MemberFolder(Run("run"), 0); }
};

TEST_F(TrainingRunTest, Learns) {
  ASSERT_EQ(Train(Options("epochs: 60 validate_every: 60"), ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_THAT(recorder_.validations, SizeIs(1));
  EXPECT_GT(recorder_.validations[0].miou, 0.9);
  EXPECT_GT(recorder_.validations[0].accuracy, 0.9);
  EXPECT_LT(recorder_.steps.back().loss, 0.5 * recorder_.steps.front().loss);
}

TEST_F(TrainingRunTest, ObserversHearOfEveryStepAndEpoch) {
  ASSERT_EQ(Train(Options(), ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_THAT(recorder_.starts, SizeIs(1));
  EXPECT_EQ(recorder_.starts[0].name, "member 0");
  EXPECT_EQ(recorder_.starts[0].steps, kSteps);
  EXPECT_EQ(recorder_.starts[0].first_step, 0);
  EXPECT_EQ(recorder_.starts[0].steps_per_epoch, 4);
  EXPECT_EQ(recorder_.starts[0].epochs, 3);
  ASSERT_THAT(recorder_.steps, SizeIs(kSteps));
  for (int i = 0; i < kSteps; ++i) {
    const StepRecord& record = recorder_.steps[static_cast<size_t>(i)];
    EXPECT_EQ(record.step, i + 1);
    EXPECT_DOUBLE_EQ(record.epoch, (i + 1) / 4.0);
    EXPECT_EQ(record.images, 2);
    EXPECT_EQ(record.loss, record.segmentation_loss);
    EXPECT_EQ(record.uncertainty_loss, 0);
    EXPECT_NEAR(record.learning_rate, 0.01 * std::pow(1 - i / 12.0, 0.9), 1e-8);
    EXPECT_GE(record.seconds, record.data_seconds);
  }
  ASSERT_THAT(recorder_.validations, SizeIs(3));
  EXPECT_EQ(recorder_.validations[1].step, 8);
  EXPECT_EQ(recorder_.validations[1].epoch, 2);
  EXPECT_THAT(recorder_.outcomes, ElementsAre("done"));
}

TEST_F(TrainingRunTest, TheModelSaysWhatItIs) {
  ASSERT_EQ(Train(Options("training: 'made up'"), ToTheEnd()).value(), RunOutcome::kDone);
  const auto bundle = ReadBundle(MemberModel(Run("run"), 0));
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->spec.kind, ModelKind::kSingle);
  EXPECT_EQ(bundle->spec.width, 4);
  ASSERT_THAT(bundle->spec.classes, SizeIs(2));
  EXPECT_EQ(bundle->spec.classes[1].name, "barn");
  EXPECT_EQ(bundle->spec.training, "made up");
}

TEST_F(TrainingRunTest, DropoutMakesAModelOfSeveralPredictions) {
  ASSERT_EQ(Train(Options("dropout: 0.25 dropout_passes: 4"), ToTheEnd()).value(), RunOutcome::kDone);
  const auto bundle = ReadBundle(MemberModel(Run("run"), 0));
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->spec.sampling.method, SamplingMethod::kMcDropout);
  EXPECT_EQ(bundle->spec.sampling.dropout, 0.25f);
  EXPECT_EQ(bundle->spec.sampling.passes, 4);
  recorder_ = {};
  ASSERT_EQ(TrainMember(Options(), Run("plain"), 0, StopAfter(1)).value(), RunOutcome::kStopped);
  const double plain = recorder_.steps[0].loss;
  recorder_ = {};
  ASSERT_EQ(TrainMember(Options("dropout: 0.25"), Run("dropped"), 0, StopAfter(1)).value(), RunOutcome::kStopped);
  EXPECT_NE(recorder_.steps[0].loss, plain);  // the same start and the same batch
}

TEST_F(TrainingRunTest, TheLastSnapshotsStay) {
  ASSERT_EQ(Train(Options("epochs: 4 snapshots: 2"), ToTheEnd()).value(), RunOutcome::kDone);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Folder() + "/snapshots")) {
    names.insert(entry.path().filename().string());
  }
  EXPECT_THAT(names, ElementsAre("step-000000012.safetensors", "step-000000016.safetensors"));
  // The last one is what the model holds.
  const auto last = ParseSafetensors(Contents(Folder() + "/snapshots/step-000000016.safetensors"));
  const auto bundle = ReadBundle(MemberModel(Run("run"), 0));
  ASSERT_THAT(last, IsOk());
  ASSERT_THAT(bundle, IsOk());
  ASSERT_EQ(last->tensors.size(), bundle->members[0].tensors.size());
  for (size_t i = 0; i < last->tensors.size(); ++i) {
    EXPECT_EQ(last->tensors[i].name, bundle->members[0].tensors[i].name);
    EXPECT_TRUE(last->tensors[i].data == bundle->members[0].tensors[i].data) << last->tensors[i].name;
  }
}

// Members start random, as the paper's, unless told otherwise.
TEST_F(TrainingRunTest, AMemberTakesAnEncoderOnlyWhereAskedTo) {
  EXPECT_EQ(Train(Options("encoder_weights: '/no/such/encoder'"), StopAfter(1)).value(), RunOutcome::kStopped);
  EXPECT_THAT(
      TrainMember(Options("encoder_weights: '/no/such/encoder' pretrained_members: true"), Run("other"), 0, ToTheEnd()),
      HasStatus(StatusCode::kNotFound, HasSubstr("/no/such/encoder")));
}

TEST_F(TrainingRunTest, MembersDifferAndAMemberRepeatsItself) {
  for (const char* run : {"a", "b"}) {
    for (const int index : {0, 1}) {
      ASSERT_EQ(TrainMember(Options(), Run(run), index, ToTheEnd()).value(), RunOutcome::kDone);
    }
  }
  EXPECT_EQ(WeightsOf(MemberModel(Run("a"), 0)), WeightsOf(MemberModel(Run("b"), 0)));
  EXPECT_EQ(WeightsOf(MemberModel(Run("a"), 1)), WeightsOf(MemberModel(Run("b"), 1)));
  EXPECT_NE(WeightsOf(MemberModel(Run("a"), 0)), WeightsOf(MemberModel(Run("a"), 1)));
}

TEST_F(TrainingRunTest, AFinishedRunIsDoneAtOnce) {
  const std::string weights = Uninterrupted(Options(), "run");
  recorder_ = {};
  EXPECT_EQ(Train(Options(), StopAfter(0)).value(), RunOutcome::kDone);
  EXPECT_THAT(recorder_.starts, SizeIs(0));
  EXPECT_EQ(WeightsOf(MemberModel(Run("run"), 0)), weights);
}

TEST_F(TrainingRunTest, WithoutAValidationSplitNothingIsValidated) {
  ASSERT_EQ(Train(Options("validation_split: 'none'"), ToTheEnd()).value(), RunOutcome::kDone);
  EXPECT_THAT(recorder_.steps, SizeIs(kSteps));
  EXPECT_THAT(recorder_.validations, SizeIs(0));
  recorder_ = {};
  EXPECT_EQ(Train(Options("validation_split: 'none'"), StopAfter(0)).value(), RunOutcome::kDone);
  EXPECT_THAT(recorder_.starts, SizeIs(0));
}

TEST_F(TrainingRunTest, ValidationComesEverySoManyEpochsAndAtTheEnd) {
  ASSERT_EQ(Train(Options("validate_every: 2"), ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_THAT(recorder_.validations, SizeIs(2));
  EXPECT_EQ(recorder_.validations[0].step, 8);
  EXPECT_EQ(recorder_.validations[1].step, 12);
}

TEST_F(TrainingRunTest, AnotherConfigurationIsRefusedByItsField) {
  ASSERT_EQ(Train(Options(), StopAfter(2)).value(), RunOutcome::kStopped);
  EXPECT_THAT(Train(Options("momentum: 0.5"), ToTheEnd()),
              HasStatus(StatusCode::kFailedPrecondition,
                        AllOf(HasSubstr("momentum: "), HasSubstr("\"0.9\""), HasSubstr("\"0.5\""))));
  EXPECT_THAT(Train(Options("seed: 1"), ToTheEnd()), HasStatus(StatusCode::kFailedPrecondition, HasSubstr("seed: ")));
  EXPECT_EQ(Train(Options("log_every_steps: 3 loader_threads: 2"), ToTheEnd()).value(), RunOutcome::kDone);
}

TEST_F(TrainingRunTest, DataThatChangedAreRefused) {
  ASSERT_EQ(Train(Options(), StopAfter(2)).value(), RunOutcome::kStopped);
  WriteTinyDataset(data(), 8, 4, /*seed=*/2);
  EXPECT_THAT(Train(Options(), ToTheEnd()), HasStatus(StatusCode::kFailedPrecondition, HasSubstr("data_digest: ")));
}

TEST_F(TrainingRunTest, ASplitWithoutABatchIsRefused) {
  EXPECT_THAT(Train(Options("train_split: 'single'"), ToTheEnd()),
              HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr("split single"), HasSubstr("too few"))));
  EXPECT_THAT(Train(Options("batch_size: 16 drop_last: true"), ToTheEnd()),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("has 8 pictures, too few for one batch of 16")));
}

TEST_F(TrainingRunTest, MissingDataAreNamed) {
  EXPECT_THAT(Train(Options("data: 'folder:/no/such/place'"), ToTheEnd()),
              HasStatus(StatusCode::kNotFound, HasSubstr("/no/such/place")));
  EXPECT_THAT(Train(Options("train_split: 'night'"), ToTheEnd()),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("night")));
}

// Breaks a picture once the run has begun, and its data were found whole.
class PictureBreaker : public Recorder {
 public:
  explicit PictureBreaker(std::string picture) : picture_(std::move(picture)) {}
  absl::Status OnStart(const RunStart&) override {
    WriteContents(picture_, "no picture");
    return absl::OkStatus();
  }

 private:
  const std::string picture_;
};

TEST_F(TrainingRunTest, APictureThatBreaksMidwayEndsTheRunAndTheCheckpointStays) {
  const TrainOptions options = Options("cache_mib: 0");
  ASSERT_EQ(Train(options, StopAfter(1)).value(), RunOutcome::kStopped);
  const std::string picture = absl::StrCat(data(), "/images/train/", TinyPictureName(3));
  const std::string whole = Contents(picture);
  PictureBreaker breaker(picture);
  RunControl control = ToTheEnd();
  control.observers = {&breaker};
  const auto outcome = Train(options, control);
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr(TinyPictureName(3)));
  EXPECT_FALSE(CheckpointsOf(Folder()).empty());
  WriteContents(picture, whole);
  EXPECT_EQ(Train(options, ToTheEnd()).value(), RunOutcome::kDone);
}

TEST_F(TrainingRunTest, ADivergingRunIsOutOfRangeAndTheLastGoodCheckpointStays) {
  ASSERT_EQ(Train(Options(), StopAfter(2)).value(), RunOutcome::kStopped);
  const std::set<std::string> before = CheckpointsOf(Folder());
  ASSERT_THAT(before, SizeIs(1));
  const std::string bytes = Contents(*before.begin());
  TrainOptions wild = Options();
  wild.optimizer.learning_rate = 1e30;
  EXPECT_THAT(Train(wild, ToTheEnd()),
              HasStatus(StatusCode::kOutOfRange, AllOf(HasSubstr("finite"), HasSubstr("learning_rate"))));
  EXPECT_EQ(CheckpointsOf(Folder()), before);
  EXPECT_EQ(Contents(*before.begin()), bytes);
  EXPECT_THAT(recorder_.outcomes.back(), HasSubstr("finite"));
  EXPECT_EQ(Train(Options(), ToTheEnd()).value(), RunOutcome::kDone);
}

// The loss of a step may be finite while what it does to the weights is not: stopped right then, they must not be
// saved.
TEST_F(TrainingRunTest, WeightsThatAreNotFiniteAreNeverSaved) {
  ASSERT_EQ(Train(Options(), StopAfter(2)).value(), RunOutcome::kStopped);
  const std::set<std::string> before = CheckpointsOf(Folder());
  TrainOptions wild = Options();
  wild.optimizer.learning_rate = 1e300;
  EXPECT_THAT(Train(wild, StopAfter(1)), HasStatus(StatusCode::kOutOfRange, HasSubstr("finite")));
  EXPECT_EQ(CheckpointsOf(Folder()), before);
}

TEST_F(TrainingRunTest, AModelWithoutItsCheckpointsIsNotOverwritten) {
  const std::string weights = Uninterrupted(Options(), "run");
  for (const std::string& path : CheckpointsOf(Folder())) std::filesystem::remove(path);
  EXPECT_THAT(Train(Options(), ToTheEnd()),
              HasStatus(StatusCode::kAlreadyExists, HasSubstr(MemberModel(Run("run"), 0))));
  EXPECT_EQ(WeightsOf(MemberModel(Run("run"), 0)), weights);
}

TEST_F(TrainingRunTest, AnObserversErrorEndsTheRun) {
  class FullDisk : public Recorder {
   public:
    absl::Status OnStep(const StepRecord&) override { return absl::DataLossError("disk full"); }
  };
  FullDisk observer;
  RunControl control = ToTheEnd();
  control.observers = {&observer};
  EXPECT_THAT(Train(Options(), control), HasStatus(StatusCode::kDataLoss, HasSubstr("disk full")));
  EXPECT_THAT(observer.outcomes, ElementsAre("disk full"));
}

TEST_F(TrainingRunTest, ThreadsAreTheConfigurations) {
  ASSERT_EQ(Train(Options("threads: 2"), StopAfter(1)).value(), RunOutcome::kStopped);
  EXPECT_EQ(at::get_num_threads(), 2);
  ASSERT_EQ(Train(Options("threads: 1"), StopAfter(1)).value(), RunOutcome::kStopped);
  EXPECT_EQ(at::get_num_threads(), 1);
}

}  // namespace
}  // namespace candor
