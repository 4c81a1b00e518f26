// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/steady_condition.h"

namespace candor {

// Counts the requests under way, bounds them, and closes the door at shutdown. Thread-safe.
//
// A request holds a place from Enter to Answered, just before its answer is sent: a caller who has read the answer
// finds the place free. It is under way until Leave, when the answer has left, which gRPC's scheduling puts off by
// milliseconds and a slow reader without end: so kUnreadAnswers more requests than there are places may be under way.
class Admission {
 public:
  static constexpr int kUnreadAnswers = 64;

  explicit Admission(int places) : places_(places) {}

  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Takes a place. ResourceExhausted: there is none; Unavailable: closed. After OK, Answered and then Leave are due.
  absl::Status Enter() ABSL_LOCKS_EXCLUDED(mu_);
  void Answered() ABSL_LOCKS_EXCLUDED(mu_);
  void Leave() ABSL_LOCKS_EXCLUDED(mu_);

  // OK, or Unavailable once closed; takes no place.
  absl::Status CheckOpen() const ABSL_LOCKS_EXCLUDED(mu_);

  // From now on Enter refuses.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);
  // True once no request is under way, false after `timeout`.
  bool WaitUntilEmpty(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mu_);
  // Returns once every request is answered; its answer may still be on the way.
  void WaitUntilAnswered() ABSL_LOCKS_EXCLUDED(mu_);

  // Tells requests under way to give up at the next chance.
  void Abandon() { abandoned_.store(true, std::memory_order_relaxed); }
  bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }

 private:
  bool IsEmpty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return under_way_ == 0; }
  bool IsAnswered() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return unanswered_ == 0; }

  const int places_;
  mutable absl::Mutex mu_;
  SteadyCondition emptied_;
  int unanswered_ ABSL_GUARDED_BY(mu_) = 0;
  int under_way_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> abandoned_{false};
};

}  // namespace candor
