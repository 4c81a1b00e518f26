// SPDX-License-Identifier: Apache-2.0
//
// What the scheduler takes and gives.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"

namespace candor {

using SteadyTime = std::chrono::steady_clock::time_point;

// Who goes first. Idle work runs only when nothing else waits.
enum class Priority { kIdle, kLow, kNormal, kHigh };
inline constexpr int kPriorities = 4;

// How one model's pictures are put together.
struct Batching {
  int max_batch_size = 1;
  // How long the first picture may wait for others; 0: only those that wait already go along.
  std::chrono::steady_clock::duration window = std::chrono::steady_clock::duration::zero();
};

// One picture to segment.
struct InferenceJob {
  std::shared_ptr<Segmenter> segmenter;  // kept until the job is done, though its model be unloaded meanwhile
  Batching batching;                     // of that model
  Picture picture;                       // what it borrows outlives the job
  std::vector<KindRequest> kinds;
  std::optional<Region> region;
  Priority priority = Priority::kNormal;
  SteadyTime deadline = SteadyTime::max();
  // Of several members: rather answer with some than miss the deadline.
  bool anytime = false;
  bool keep_picture = false;  // give the picture back with the outcome
  CancelCheck cancelled;      // thread-safe, cheap
};

struct InferenceOutcome {
  absl::StatusOr<Segmentation> result = absl::UnknownError("not run");
  Picture picture;  // the job's, if it said keep_picture
  double queue_ms = 0;
  double infer_ms = 0;  // of its whole batch; 0 for a job dropped in the queue
  int batch_size = 0;   // pictures that ran together; 0 for a job dropped in the queue
};

}  // namespace candor
