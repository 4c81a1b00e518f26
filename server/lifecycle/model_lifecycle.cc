// SPDX-License-Identifier: Apache-2.0
//
// A change is an edit of a copy: what it loads is loaded before anybody sees it.
#include "server/lifecycle/model_lifecycle.h"

#include <malloc.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "server/config.h"
#include "server/error_details.h"

namespace candor {
namespace {

constexpr char kResourceType[] = "candor.v1.Model";

// What is wrong with a bundle is not wrong with the request.
absl::Status BundleRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDataLoss:
      return WithReason(status, kModelDamaged);
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
      return WithReason(absl::FailedPreconditionError(status.message()), kModelRefused);
    default:
      return status;
  }
}

absl::Status NoSuchModel(const absl::Status& status, absl::string_view model) {
  if (!absl::IsNotFound(status)) return status;
  return WithResource(WithReason(absl::NotFoundError(absl::StrCat("model: ", status.message())), kModelNotFound),
                      kResourceType, model);
}

absl::Status NoSuchVersion(const absl::Status& status, absl::string_view model, int version) {
  if (!absl::IsNotFound(status)) return status;
  return WithResource(status, kResourceType, version == 0 ? std::string(model) : absl::StrCat(model, "/", version));
}

int NewestAt(const std::string& place) {
  const absl::StatusOr<VersionOnDisk> newest = ChooseVersion(place, 0);
  return newest.ok() ? newest->number : 0;
}

int ServedVersion(const std::optional<LoadedModel>& loaded) {
  return loaded.has_value() ? loaded->segmenter->info().version : 0;
}

}  // namespace

ModelLifecycle::ModelLifecycle(const v1::ServerConfig& config, const ModelRegistry& models, Surroundings surroundings)
    : model_roots_(config.model_roots().begin(), config.model_roots().end()), surroundings_(std::move(surroundings)) {
  {
    absl::MutexLock lock(&mu_);
    state_.default_model = config.default_model();
    for (int i = 0; i < config.models_size(); ++i) {
      Entry entry;
      entry.config = config.models(i);
      entry.loaded = models.models()[static_cast<size_t>(i)];
      entry.loaded->aliases = {entry.config.aliases().begin(), entry.config.aliases().end()};
      entry.name = entry.loaded->segmenter->info().name;
      state_.entries.push_back(std::move(entry));
    }
  }
  absl::Notification is_ready;
  thread_ = std::thread([this, &is_ready] {
    if (surroundings_.prepare_thread) surroundings_.prepare_thread();
    is_ready.Notify();
    Work();
  });
  is_ready.WaitForNotification();
}

ModelLifecycle::~ModelLifecycle() {
  {
    absl::MutexLock lock(&mu_);
    is_open_ = false;
    stopping_ = true;
  }
  thread_.join();
}

void ModelLifecycle::Open() {
  absl::MutexLock lock(&mu_);
  is_open_ = true;
}

void ModelLifecycle::Close() {
  absl::MutexLock lock(&mu_);
  is_open_ = false;
}

void ModelLifecycle::Start(Change change) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mu_);
    if (!is_open_) {
      refusal = WithReason(absl::UnavailableError("the server is starting or shutting down"), kShuttingDown);
    } else if (is_running_ || change_ || configuration_) {
      const std::string& other = change_ ? change_->operation : under_way_;
      refusal = WithReason(absl::AbortedError(absl::StrCat("another change of the models is under way (", other,
                                                           "); try again after it")),
                           kChangeUnderWay);
    } else {
      change_ = std::move(change);
      return;
    }
  }
  change.done(refusal);
}

void ModelLifecycle::Load(const std::string& model, int version, Done done) {
  const auto edit = [this, model, version](State* state) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(Entry * entry, FindOrAdd(model, state));
    const int wanted = version != 0 ? version : entry->config.version();
    const absl::StatusOr<VersionOnDisk> chosen = ChooseVersion(entry->config.bundle(), wanted);
    if (!chosen.ok()) return NoSuchVersion(chosen.status(), entry->name, wanted);
    entry->passed_over = version != 0 ? NewestAt(entry->config.bundle()) : 0;
    RETURN_IF_ERROR(LoadVersion(*chosen, entry));
    return entry->name;
  };
  Start({"load", model, edit, std::move(done)});
}

void ModelLifecycle::Unload(const std::string& model, Done done) {
  const auto edit = [this, model](State* state) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(Entry * entry, Find(model, state));
    entry->loaded.reset();
    return entry->name;
  };
  Start({"unload", model, edit, std::move(done)});
}

void ModelLifecycle::Reload(const std::string& model, Done done) {
  const auto edit = [this, model](State* state) -> absl::StatusOr<std::string> {
    if (!model.empty()) {
      ASSIGN_OR_RETURN(Entry * entry, Find(model, state));
      RETURN_IF_ERROR(LoadNewer(/*is_for_all=*/false, entry));
      return entry->name;
    }
    for (Entry& entry : state->entries) {
      if (entry.loaded.has_value()) RETURN_IF_ERROR(LoadNewer(/*is_for_all=*/true, &entry));
    }
    return "";
  };
  Start({"reload", model, edit, std::move(done)});
}

void ModelLifecycle::Rollback(const std::string& model, Done done) {
  const auto edit = [this, model](State* state) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(Entry * entry, Find(model, state));
    RETURN_IF_ERROR(RollBack(entry));
    return entry->name;
  };
  Start({"rollback", model, edit, std::move(done)});
}

void ModelLifecycle::Configure(const v1::ServerConfig& config) {
  absl::MutexLock lock(&mu_);
  if (is_open_) configuration_ = config;
}

absl::StatusOr<ModelLifecycle::Entry*> ModelLifecycle::Find(absl::string_view model, State* state) const {
  if (model.empty()) return absl::InvalidArgumentError("model: must not be empty");
  std::vector<ModelNaming> namings;
  std::vector<Entry*> served;
  for (Entry& entry : state->entries) {
    if (!entry.loaded.has_value()) continue;
    const ModelInfo& info = entry.loaded->segmenter->info();
    namings.push_back({info.name, info.spec.kind, entry.loaded->aliases, PredictionCount(info.spec)});
    served.push_back(&entry);
  }
  ASSIGN_OR_RETURN(const ModelNames names, ModelNames::Resolve(namings, state->default_model));
  const absl::StatusOr<int> index = names.Find(model);
  if (!index.ok()) return NoSuchModel(index.status(), model);
  return served[static_cast<size_t>(*index)];
}

absl::StatusOr<ModelLifecycle::Entry*> ModelLifecycle::FindOrAdd(const std::string& model, State* state) const {
  const absl::StatusOr<Entry*> served = Find(model, state);
  if (served.ok() || !absl::IsNotFound(served.status())) return served;
  for (Entry& entry : state->entries) {
    if (entry.name == model) return &entry;
  }
  absl::StatusOr<std::string> place = FindModelPlace(model_roots_, model);
  if (!place.ok()) return NoSuchModel(place.status(), model);
  Entry entry;
  entry.name = model;
  entry.is_configured = false;
  entry.config.set_bundle(*std::move(place));
  state->entries.push_back(std::move(entry));
  return &state->entries.back();
}

absl::Status ModelLifecycle::LoadVersion(const VersionOnDisk& version, Entry* entry) const {
  const absl::StatusOr<Bundle> bundle = OpenBundle(version.directory);
  const bool is_served = bundle.ok() && entry->loaded.has_value() && ServedVersion(entry->loaded) == version.number &&
                         entry->loaded->segmenter->info().digest == bundle->digest;
  if (is_served) return absl::OkStatus();
  LogIncompleteVersions(entry->config.bundle());
  absl::StatusOr<LoadedModel> loaded = LoadModelFrom(version.directory, entry->config, surroundings_.load);
  surroundings_.load_ended(entry->name, loaded.ok());
  if (!loaded.ok()) return BundleRefusal(loaded.status());
  // A bundle that was written over has no version to go back to.
  if (const int served = ServedVersion(entry->loaded); served != 0 && served != version.number) {
    entry->previous_version = served;
    entry->previous_segmenter = entry->loaded->segmenter;
  }
  entry->loaded = *std::move(loaded);
  return absl::OkStatus();
}

absl::Status ModelLifecycle::LoadNewer(bool is_for_all, Entry* entry) const {
  const int pinned = entry->config.version();
  const absl::StatusOr<VersionOnDisk> chosen = ChooseVersion(entry->config.bundle(), pinned);
  if (!chosen.ok()) return NoSuchVersion(chosen.status(), entry->name, pinned);
  const int served = ServedVersion(entry->loaded);
  if (served != 0 && chosen->number != served) {
    if (is_for_all && chosen->number <= entry->passed_over) return absl::OkStatus();
    if (pinned == 0 && chosen->number < served) return absl::OkStatus();  // the served one is gone from the disk
  }
  if (chosen->number != served) entry->passed_over = 0;
  return LoadVersion(*chosen, entry);
}

absl::Status ModelLifecycle::RollBack(Entry* entry) const {
  const int target = entry->previous_version;
  const int served = ServedVersion(entry->loaded);
  if (target == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("model ", entry->name, ": no version was served before version ", served));
  }
  const int newest = NewestAt(entry->config.bundle());
  if (std::shared_ptr<Segmenter> held = entry->previous_segmenter.lock()) {
    entry->previous_version = served;
    entry->previous_segmenter = entry->loaded->segmenter;
    entry->loaded->segmenter = std::move(held);
    entry->loaded->load_seconds = 0;
  } else {
    const absl::StatusOr<VersionOnDisk> chosen = ChooseVersion(entry->config.bundle(), target);
    if (!chosen.ok()) return NoSuchVersion(chosen.status(), entry->name, target);
    RETURN_IF_ERROR(LoadVersion(*chosen, entry));
  }
  entry->passed_over = newest;
  return absl::OkStatus();
}

absl::StatusOr<std::string> ModelLifecycle::TakeConfiguration(const v1::ServerConfig& config, State* state) const {
  State next;
  next.default_model = config.default_model();
  std::set<std::string> names;
  for (const v1::ModelConfig& model : config.models()) {
    ASSIGN_OR_RETURN(const std::string name, ModelNameAt(model.bundle()));
    const auto known = std::find_if(state->entries.begin(), state->entries.end(), [&](const Entry& entry) {
      return entry.name == name && entry.config.bundle() == model.bundle();
    });
    Entry entry;
    if (known != state->entries.end()) entry = *known;
    entry.name = name;
    entry.config = model;
    entry.is_configured = true;
    RETURN_IF_ERROR(LoadNewer(/*is_for_all=*/true, &entry));
    entry.loaded->aliases = {model.aliases().begin(), model.aliases().end()};
    entry.loaded->batching = BatchingOf(model, entry.loaded->segmenter->info().device);
    names.insert(name);
    next.entries.push_back(std::move(entry));
  }
  for (Entry& entry : state->entries) {
    if (!entry.is_configured && names.count(entry.name) == 0) next.entries.push_back(std::move(entry));
  }
  *state = std::move(next);
  return "";
}

absl::StatusOr<std::string> ModelLifecycle::Apply(const Edit& edit, State* state) {
  ASSIGN_OR_RETURN(std::string model, edit(state));
  std::vector<LoadedModel> models;
  for (const Entry& entry : state->entries) {
    if (entry.loaded.has_value()) models.push_back(*entry.loaded);
  }
  absl::StatusOr<std::unique_ptr<ModelRegistry>> registry =
      ModelRegistry::Create(std::move(models), state->default_model);
  if (!registry.ok()) return absl::FailedPreconditionError(registry.status().message());
  surroundings_.publish(*std::move(registry));
  return model;
}

std::vector<ModelChange> ModelLifecycle::ChangesBetween(const State& before, const State& after,
                                                        const std::string& model) {
  std::map<std::string, ModelChange> changes;
  std::map<std::string, const Segmenter*> segmenters;
  for (const Entry& entry : before.entries) {
    if (!entry.loaded.has_value()) continue;
    changes[entry.name].version_before = ServedVersion(entry.loaded);
    segmenters[entry.name] = entry.loaded->segmenter.get();
  }
  std::set<std::string> unchanged;
  for (const Entry& entry : after.entries) {
    if (!entry.loaded.has_value()) continue;
    ModelChange& change = changes[entry.name];
    change.version_after = ServedVersion(entry.loaded);
    change.digest = entry.loaded->segmenter->info().digest;
    if (segmenters[entry.name] == entry.loaded->segmenter.get()) {
      unchanged.insert(entry.name);
    } else {
      change.load_seconds = entry.loaded->load_seconds;
    }
  }
  std::vector<ModelChange> result;
  for (auto& [name, change] : changes) {
    if (name != model && unchanged.count(name) != 0) continue;
    change.model = name;
    result.push_back(std::move(change));
  }
  return result;
}

absl::StatusOr<std::vector<ModelChange>> ModelLifecycle::Run(const Change& change) {
  State before;
  {
    absl::MutexLock lock(&mu_);
    before = state_;
  }
  State after = before;
  absl::StatusOr<std::string> model;
  try {
    model = Apply(change.edit, &after);
  } catch (const std::exception& e) {
    model = absl::InternalError(absl::StrCat("unexpected failure: ", e.what()));
  }
  if (!model.ok()) {
    LogWarning("change of models refused, what was served goes on",
               {{"operation", change.operation},
                {"model", change.model},
                {"code", absl::StatusCodeToString(model.status().code())},
                {"error", model.status().message()}});
    return model.status();
  }
  std::vector<ModelChange> changes = ChangesBetween(before, after, *model);
  for (const ModelChange& done : changes) {
    LogInfo("model changed", {{"operation", change.operation},
                              {"model", done.model},
                              {"version_before", done.version_before},
                              {"version_after", done.version_after}});
  }
  absl::MutexLock lock(&mu_);
  state_ = std::move(after);
  return changes;
}

void ModelLifecycle::Work() {
  for (;;) {
    Change change;
    {
      absl::MutexLock lock(&mu_);
      is_running_ = false;
      mu_.Await(absl::Condition(this, &ModelLifecycle::HasWorkOrStops));
      if (change_.has_value()) {
        change = *std::move(change_);
        change_.reset();
      } else if (configuration_.has_value() && is_open_) {
        const auto config = std::make_shared<v1::ServerConfig>(*std::move(configuration_));
        configuration_.reset();
        change = {"configure", "", [this, config](State* state) { return TakeConfiguration(*config, state); }, nullptr};
      } else {
        return;
      }
      is_running_ = true;
      under_way_ = change.operation;
    }
    absl::StatusOr<std::vector<ModelChange>> changes = Run(change);
    malloc_trim(0);  // what reading the weight files took, and the old model if no call has it
    {
      // Before the answer, so that whoever has it may ask for the next change.
      absl::MutexLock lock(&mu_);
      is_running_ = false;
    }
    if (change.done) change.done(std::move(changes));
  }
}

absl::StatusOr<std::vector<ModelOnDisk>> ModelLifecycle::List(const std::string& model) const {
  std::vector<ModelOnDisk> models;
  {
    absl::MutexLock lock(&mu_);
    for (const Entry& entry : state_.entries) {
      models.push_back({entry.name, entry.config.bundle(), ServedVersion(entry.loaded), entry.previous_version, {}});
    }
  }
  const auto is_named = [](const std::string& name) {
    return [&name](const ModelOnDisk& known) { return known.name == name; };
  };
  for (const std::string& name : model.empty() ? ModelsIn(model_roots_) : std::vector<std::string>{model}) {
    if (std::any_of(models.begin(), models.end(), is_named(name))) continue;
    absl::StatusOr<std::string> place = FindModelPlace(model_roots_, name);
    if (place.ok()) models.push_back({name, *std::move(place), 0, 0, {}});
  }
  if (!model.empty()) {
    const auto others = std::remove_if(models.begin(), models.end(), std::not_fn(is_named(model)));
    models.erase(others, models.end());
    if (models.empty()) return NoSuchModel(FindModelPlace({}, model).status(), model);
  }
  for (ModelOnDisk& known : models) {
    absl::StatusOr<std::vector<VersionOnDisk>> versions = ListVersionsAt(known.place);
    if (versions.ok()) known.versions = *std::move(versions);  // else the directory is gone: none
  }
  return models;
}

}  // namespace candor
