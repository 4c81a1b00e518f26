// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/steady_condition.h"

namespace candor {

// A thread that calls `probe` every `interval` and, once it has failed `max_failures` times in a row, calls `give_up`
// with the last failure and ends. `probe` has to return within a time of its own, at most `interval`. One that fails
// after one and a half intervals does not count, unless the one before was as late: SIGSTOP and SIGCONT, or a frozen
// cgroup, are no fault of the server. The destructor waits for a probe under way.
class SelfProbe {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  SelfProbe(absl::Duration interval, int max_failures, std::function<absl::Status()> probe,
            std::function<void(const absl::Status&)> give_up, Clock clock = &std::chrono::steady_clock::now);
  ~SelfProbe();

  SelfProbe(const SelfProbe&) = delete;
  SelfProbe& operator=(const SelfProbe&) = delete;

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  bool EndsWithinTheInterval() ABSL_LOCKS_EXCLUDED(mu_);

  const std::chrono::nanoseconds interval_;
  const int max_failures_;
  const std::function<absl::Status()> probe_;
  const std::function<void(const absl::Status&)> give_up_;
  const Clock clock_;  // of a probe's duration
  absl::Mutex mu_;
  SteadyCondition ended_;
  bool is_over_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace candor
