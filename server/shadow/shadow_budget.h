// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace candor {

// Which answers are checked: every 1/share-th, as long as the checks take no more than a share of the time. A request
// that arrives during a check waits for one member; requests that come at random meet one with the probability of the
// latter share, so 0.5 % leaves their 99th percentile alone. Thread-safe.
class ShadowBudget {
 public:
  using Duration = std::chrono::steady_clock::duration;
  using Time = std::chrono::steady_clock::time_point;

  // Both in [0, 1].
  ShadowBudget(double share, double max_busy_share, Time start)
      : share_(share), max_busy_share_(max_busy_share), start_(start) {}

  // Whether the next answer is to be checked. One check at a time: after true, Spend is due.
  bool Take(Time now) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    due_ += share_;
    if (due_ < 1) return false;
    due_ -= 1;
    const std::chrono::duration<double> elapsed = now - start_;
    if (is_busy_ || std::chrono::duration<double>(spent_) > max_busy_share_ * elapsed) return false;
    is_busy_ = true;
    return true;
  }

  // The check is over; it computed for `taken`.
  void Spend(Duration taken) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    spent_ += taken;
    is_busy_ = false;
  }

 private:
  const double share_;
  const double max_busy_share_;
  const Time start_;
  absl::Mutex mu_;
  double due_ ABSL_GUARDED_BY(mu_) = 0;
  Duration spent_ ABSL_GUARDED_BY(mu_){0};
  bool is_busy_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace candor
