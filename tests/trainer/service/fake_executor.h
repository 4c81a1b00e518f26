// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "trainer/service/run_executor.h"

namespace candor {

// Who trains in a test: what becomes of a run is what the test says. Thread-safe.
class ExecutorScript {
 public:
  // From now on; a run of which nothing was said runs.
  void Say(const std::string& folder, Execution execution) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    executions_[folder] = std::move(execution);
  }
  // What the next start of any run ends with.
  void RefuseStart(absl::Status status) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    refusal_ = std::move(status);
  }

  std::vector<std::string> started() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return started_;
  }
  std::vector<std::string> stopped() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return stopped_;
  }

 private:
  friend class FakeExecutor;

  mutable absl::Mutex mu_;
  std::map<std::string, Execution> executions_ ABSL_GUARDED_BY(mu_);
  absl::Status refusal_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> started_ ABSL_GUARDED_BY(mu_);  // handles: FOLDER#NUMBER
  std::vector<std::string> stopped_ ABSL_GUARDED_BY(mu_);
};

class FakeExecutor : public RunExecutor {
 public:
  // `script` outlives it.
  explicit FakeExecutor(ExecutorScript* script, bool outlives_service = true)
      : script_(*script), outlives_service_(outlives_service) {}

  const char* name() const override { return "fake"; }
  absl::StatusOr<std::string> Start(const RunPlace& place) override {
    absl::MutexLock lock(&script_.mu_);
    if (!script_.refusal_.ok()) return std::exchange(script_.refusal_, absl::OkStatus());
    script_.executions_.erase(place.folder);
    script_.started_.push_back(absl::StrCat(place.folder, "#", script_.started_.size()));
    return script_.started_.back();
  }
  absl::StatusOr<Execution> Look(const RunPlace& place, const std::string& /*handle*/) override {
    absl::MutexLock lock(&script_.mu_);
    return script_.executions_[place.folder];
  }
  // What is asked to stop does so at once.
  void Stop(const RunPlace& place, const std::string& handle) override {
    absl::MutexLock lock(&script_.mu_);
    script_.stopped_.push_back(handle);
    script_.executions_[place.folder] = {Execution::State::kInterrupted, "stopped"};
  }
  bool OutlivesService() const override { return outlives_service_; }

 private:
  ExecutorScript& script_;
  const bool outlives_service_;
};

}  // namespace candor
