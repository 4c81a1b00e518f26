// SPDX-License-Identifier: Apache-2.0
#include "client/bench/load_recorder.h"

#include <utility>

namespace candor {

void LoadRecorder::Add(const LoadSample& sample, const absl::Status& status) {
  absl::MutexLock lock(&mu_);
  samples_.push_back(sample);
  samples_.back().code = status.code();
  if (status.ok()) return;
  ++errors_;
  first_messages_.try_emplace(status.code(), status.message());
}

int64_t LoadRecorder::count() const {
  absl::MutexLock lock(&mu_);
  return static_cast<int64_t>(samples_.size());
}

int64_t LoadRecorder::errors() const {
  absl::MutexLock lock(&mu_);
  return errors_;
}

std::map<absl::StatusCode, std::string> LoadRecorder::first_messages() const {
  absl::MutexLock lock(&mu_);
  return first_messages_;
}

std::vector<LoadSample> LoadRecorder::Take() {
  absl::MutexLock lock(&mu_);
  return std::exchange(samples_, {});
}

}  // namespace candor
