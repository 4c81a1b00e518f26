// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "candor/v1/config.pb.h"
#include "core/segmenter/segmenter.h"
#include "server/lifecycle/load_model.h"
#include "server/lifecycle/model_repository.h"
#include "server/model_registry.h"

namespace candor {

// What a change did to one model.
struct ModelChange {
  std::string model;
  int version_before = 0;   // 0: it was not served
  int version_after = 0;    // 0: it is no longer served
  std::string digest;       // of the version after
  double load_seconds = 0;  // 0: nothing had to be loaded
};

// A model, served or not, and what there is of it on disk.
struct ModelOnDisk {
  std::string name;
  std::string place;
  int served_version = 0;    // 0: none
  int previous_version = 0;  // that Rollback would serve; 0: none
  std::vector<VersionOnDisk> versions;
};

// Changes the served models while they are served. One thread loads a new version beside the old one and publishes all
// models at once; the old version goes with the last call that uses it. Any error leaves everything as it was. One
// change at a time. Thread-safe.
//
// Versions: a change by name chooses by `config.version`, or the newest; Load may name another. After Load of a named
// version or Rollback, Configure and Reload of all pass over the versions that were on disk then, so that a rejected
// version does not come back by itself.
class ModelLifecycle {
 public:
  // Runs on the lifecycle's thread, or from the caller if the change is refused at once.
  // Errors: Aborted another change is under way; Unavailable not open; NotFound unknown model or version; DataLoss a
  // damaged bundle; FailedPrecondition a bundle that breaks its format, names that would clash, nothing to roll back
  // to; InvalidArgument an empty name.
  using Done = std::function<void(absl::StatusOr<std::vector<ModelChange>>)>;

  struct Surroundings {
    std::function<void()> prepare_thread;  // first of all, on the lifecycle's thread; may be null
    SegmenterLoader load;                  // on that thread only
    std::function<void(std::shared_ptr<const ModelRegistry>)> publish;
    std::function<void(absl::string_view model, bool has_succeeded)> load_ended;
  };

  // `models` are those of `config`, in its order. Returns once prepare_thread has.
  ModelLifecycle(const v1::ServerConfig& config, const ModelRegistry& models, Surroundings surroundings);
  // Waits for the change under way: nothing can stop a load.
  ~ModelLifecycle();

  ModelLifecycle(const ModelLifecycle&) = delete;
  ModelLifecycle& operator=(const ModelLifecycle&) = delete;

  void Open() ABSL_LOCKS_EXCLUDED(mu_);
  void Close() ABSL_LOCKS_EXCLUDED(mu_);  // the change under way goes on

  // Serves `version`, or what the configuration says for 0, of a model that was ever served, or of model_roots.
  void Load(const std::string& model, int version, Done done);
  // Calls under way end with it. Not the last model, nor one that default_model or a clash of names needs.
  void Unload(const std::string& model, Done done);
  // What is newer on disk: of one model, or of all for "", in one change.
  void Reload(const std::string& model, Done done);
  // The version served before the present one: from memory if a call still holds it, else from disk.
  void Rollback(const std::string& model, Done done);

  // Serves what `models` and `default_model` of `config` say now, the newest versions included; models loaded from
  // model_roots stay. Waits its turn; the last of several wins. The outcome is logged.
  void Configure(const v1::ServerConfig& config) ABSL_LOCKS_EXCLUDED(mu_);

  // Reads the disk. NotFound: `model` is neither known nor in model_roots. "": all.
  absl::StatusOr<std::vector<ModelOnDisk>> List(const std::string& model) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // A model that is, or was, served.
  struct Entry {
    std::string name;
    v1::ModelConfig config;
    bool is_configured = true;          // else from model_roots
    std::optional<LoadedModel> loaded;  // its aliases: the configured ones; nothing: unloaded
    int previous_version = 0;
    std::weak_ptr<Segmenter> previous_segmenter;
    int passed_over = 0;  // versions up to here come back only by name
  };
  struct State {
    std::vector<Entry> entries;
    std::string default_model;
  };
  // Returns the name of the model it is about; "": several.
  using Edit = std::function<absl::StatusOr<std::string>(State*)>;
  struct Change {
    std::string operation;
    std::string model;  // as asked for
    Edit edit;
    Done done;
  };

  void Start(Change change) ABSL_LOCKS_EXCLUDED(mu_);
  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  bool HasWorkOrStops() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return stopping_ || change_.has_value() || configuration_.has_value();
  }
  absl::StatusOr<std::vector<ModelChange>> Run(const Change& change) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::string> Apply(const Edit& edit, State* state);

  // Of `model`, changed or not, and of all others that have changed.
  static std::vector<ModelChange> ChangesBetween(const State& before, const State& after, const std::string& model);

  // The steps of edits; all on the lifecycle's thread.
  absl::StatusOr<Entry*> Find(absl::string_view model, State* state) const;
  absl::StatusOr<Entry*> FindOrAdd(const std::string& model, State* state) const;
  absl::Status LoadVersion(const VersionOnDisk& version, Entry* entry) const;
  absl::Status LoadNewer(bool is_for_all, Entry* entry) const;
  absl::Status RollBack(Entry* entry) const;
  absl::StatusOr<std::string> TakeConfiguration(const v1::ServerConfig& config, State* state) const;

  const std::vector<std::string> model_roots_;
  const Surroundings surroundings_;
  mutable absl::Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_);  // changed by the thread only
  bool is_open_ ABSL_GUARDED_BY(mu_) = false;
  bool is_running_ ABSL_GUARDED_BY(mu_) = false;
  std::string under_way_ ABSL_GUARDED_BY(mu_);
  std::optional<Change> change_ ABSL_GUARDED_BY(mu_);
  std::optional<v1::ServerConfig> configuration_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace candor
