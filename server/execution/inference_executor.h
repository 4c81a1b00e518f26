// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/segmenter/segmenter.h"

namespace candor {

using SteadyTime = std::chrono::steady_clock::time_point;

// One picture to segment.
struct InferenceJob {
  Segmenter* segmenter = nullptr;  // outlives the job
  Image image;
  std::vector<KindRequest> kinds;
  std::optional<Region> region;
  SteadyTime deadline = SteadyTime::max();
  CancelCheck cancelled;  // thread-safe, cheap
};

struct InferenceOutcome {
  absl::StatusOr<Segmentation> result = absl::UnknownError("not run");
  double queue_ms = 0;
  double infer_ms = 0;  // 0 for a job dropped in the queue
};

// One thread that runs all inference of the process, in the order of arrival: a second one would bring a second OpenMP
// team whose idle threads spin against the first. Models are loaded here too (RunAndWait), since the number of OpenMP
// threads is a property of the thread that sets it. Thread-safe.
class InferenceExecutor {
 public:
  using Done = std::function<void(InferenceOutcome)>;

  explicit InferenceExecutor(int max_queued);
  // Runs what is queued, then joins. Nobody may submit any more.
  ~InferenceExecutor();

  InferenceExecutor(const InferenceExecutor&) = delete;
  InferenceExecutor& operator=(const InferenceExecutor&) = delete;

  // Never blocks. After OK, `done` is called once, on the executor's thread: it must be short and must not throw. A job
  // that is late (DeadlineExceeded) or cancelled (Cancelled) when its turn comes never reaches the segmenter.
  // ResourceExhausted: the queue is full, and `done` is not called.
  absl::Status Submit(InferenceJob job, Done done) ABSL_LOCKS_EXCLUDED(mu_);

  // Runs `work`, which must not throw, on the executor's thread and waits for its end.
  void RunAndWait(const std::function<void()>& work) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  bool HasWorkOrStops() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_ || !tasks_.empty(); }

  const size_t max_queued_;
  absl::Mutex mu_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace candor
