// SPDX-License-Identifier: Apache-2.0
//
// Waits with a limit that a jump of the wall clock neither shortens nor lengthens. absl::Mutex::AwaitWithTimeout counts
// on the wall clock up to Abseil 20230125.
#pragma once

#include <chrono>
#include <condition_variable>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace candor {

// Stands beside an absl::Mutex. Thread-safe.
class SteadyCondition {
 public:
  // Waits until `condition()`, which is asked with `mu` held, or until the time `until`. Returns whether it holds.
  template <typename Condition>
  bool AwaitUntil(absl::Mutex* mu, std::chrono::steady_clock::time_point until, Condition condition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    Lockable lock{mu};
    return changed_.wait_until(lock, until, std::move(condition));
  }

  // Due after each change that may make a condition true.
  void NotifyAll() { changed_.notify_all(); }

 private:
  struct Lockable {
    void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mu->Lock(); }
    void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mu->Unlock(); }
    absl::Mutex* mu;
  };

  std::condition_variable_any changed_;
};

}  // namespace candor
