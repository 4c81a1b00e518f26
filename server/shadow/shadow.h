// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/image/image.h"
#include "core/uncertainty/segmentation.h"
#include "server/execution/inference_scheduler.h"
#include "server/execution/worker_pool.h"
#include "server/metrics/metrics.h"
#include "server/model_registry.h"
#include "server/shadow/shadow_budget.h"

namespace candor {

// Lets a second model, the teacher, see a sample of the pictures that others have answered, at idle priority, and
// counts how far they agree. Nobody waits for it; a check gives way, and is lost, as soon as a request comes.
// Thread-safe.
class Shadow {
 public:
  // `model`: name or alias of the second model. `share` of answers, at most `max_busy_share` of the time
  // (ShadowBudget). The rest is borrowed.
  Shadow(std::string model, double share, double max_busy_share, InferenceScheduler& scheduler, WorkerPool& workers,
         Metrics& metrics);
  // Stops the check under way and waits for its end.
  ~Shadow();

  // Whether the answer of `answering` to a whole picture is to be checked. After true, Check or Skip is due.
  bool Wants(const ModelRegistry& models, const LoadedModel& answering);
  // The answer never came.
  void Skip() { budget_.Spend(ShadowBudget::Duration::zero()); }
  // `answer` has labels and the map of its first kind. Never blocks.
  void Check(const ModelRegistry& models, const LoadedModel& answering, Image image, Segmentation answer);

 private:
  void Ended() ABSL_LOCKS_EXCLUDED(mu_);
  bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return under_way_ == 0; }
  void Compared(const std::string& model, const Segmentation& answer, InferenceOutcome outcome);

  const std::string model_;
  ShadowBudget budget_;
  InferenceScheduler& scheduler_;
  WorkerPool& workers_;
  Metrics& metrics_;
  std::atomic<bool> is_stopping_{false};
  absl::Mutex mu_;
  int under_way_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace candor
