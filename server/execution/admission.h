// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace candor {

// Counts the requests under way, bounds them, and closes the door at shutdown. Thread-safe.
class Admission {
 public:
  explicit Admission(int max_pending) : max_pending_(max_pending) {}

  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Takes a place. ResourceExhausted: all are taken; Unavailable: closed. Only after OK is Leave due.
  absl::Status Enter() ABSL_LOCKS_EXCLUDED(mu_);
  void Leave() ABSL_LOCKS_EXCLUDED(mu_);

  // OK, or Unavailable once closed; takes no place.
  absl::Status CheckOpen() const ABSL_LOCKS_EXCLUDED(mu_);

  // From now on Enter refuses.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);
  // True once no request is under way, false after `timeout`.
  bool WaitUntilEmpty(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mu_);

  // Tells requests under way to give up at the next chance.
  void Abandon() { abandoned_.store(true, std::memory_order_relaxed); }
  bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }

 private:
  bool IsEmpty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return pending_ == 0; }

  const int max_pending_;
  mutable absl::Mutex mu_;
  int pending_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> abandoned_{false};
};

}  // namespace candor
