// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

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
// When these are used up, the calls of those who have not read their answers for long are ended.
class Admission {
 public:
  static constexpr int kUnreadAnswers = 64;

  // `patience`: how long an answer may wait for its reader while others are refused for it.
  Admission(int places, std::chrono::milliseconds patience) : places_(places), patience_(patience) {}

  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // An answer that is on its way.
  using Answer = uint64_t;

  // Takes a place. ResourceExhausted: there is none; Unavailable: closed. After OK, Answered and then Leave are due.
  absl::Status Enter() ABSL_LOCKS_EXCLUDED(mu_);
  // `end_call`, null for none: makes the answer leave unread. It is called once at most, on another request's thread,
  // and perhaps after Leave.
  Answer Answered(std::function<void()> end_call) ABSL_LOCKS_EXCLUDED(mu_);
  void Leave(Answer answer) ABSL_LOCKS_EXCLUDED(mu_);

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
  struct Unread {
    std::chrono::steady_clock::time_point since;
    std::function<void()> end_call;
  };

  absl::Status TakePlace(std::vector<std::function<void()>>* calls_to_end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsEmpty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return under_way_ == 0; }
  bool IsAnswered() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return unanswered_ == 0; }

  const int places_;
  const std::chrono::milliseconds patience_;
  mutable absl::Mutex mu_;
  SteadyCondition emptied_;
  int unanswered_ ABSL_GUARDED_BY(mu_) = 0;
  int under_way_ ABSL_GUARDED_BY(mu_) = 0;
  Answer last_answer_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<Answer, Unread> unread_ ABSL_GUARDED_BY(mu_);  // the oldest first
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> abandoned_{false};
};

}  // namespace candor
