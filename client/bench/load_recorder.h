// SPDX-License-Identifier: Apache-2.0
//
// What became of each call of a load.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "client/segmentation_client.h"

namespace candor {

// Times are seconds from the start of what is counted; calls of the warm-up have none.
struct LoadSample {
  double due_s = 0;   // when it should have been sent; in a closed loop, when it was
  double sent_s = 0;  // when it was
  double done_s = 0;
  int picture = 0;
  absl::StatusCode code = absl::StatusCode::kOk;
  bool is_superseded = false;  // neither answered nor failed: a newer frame took its place, here or at the server
  double round_trip_ms = 0;    // of an answer of a call: until the reply had come, before it was read
  StageTimes server_times;     // of an answer
  float mean_uncertainty = 0;  // of an answer, of the kind asked for
  int members = 0;             // of an answer
  EscalationOutcome escalation = EscalationOutcome::kNone;

  double latency_ms() const { return (done_s - due_s) * 1e3; }
};

// Exact, and bounded: a load ends when it is full (about 400 MB). Thread-safe.
class LoadRecorder {
 public:
  static constexpr int64_t kMaxSamples = 5'000'000;

  void Add(const LoadSample& sample, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

  int64_t count() const ABSL_LOCKS_EXCLUDED(mu_);
  int64_t errors() const ABSL_LOCKS_EXCLUDED(mu_);
  // The first failure's message by code.
  std::map<absl::StatusCode, std::string> first_messages() const ABSL_LOCKS_EXCLUDED(mu_);
  // All of them, in the order they ended; the recorder is empty then.
  std::vector<LoadSample> Take() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable absl::Mutex mu_;
  std::vector<LoadSample> samples_ ABSL_GUARDED_BY(mu_);
  int64_t errors_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<absl::StatusCode, std::string> first_messages_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
