// SPDX-License-Identifier: Apache-2.0
//
// The bound on requests under way.
#include "server/execution/admission.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/error_details.h"

namespace candor {
namespace {

// What a refused caller is told to wait: a queue that is full is full for longer than a few pictures.
constexpr absl::Duration kRetryDelay = absl::Milliseconds(100);

absl::Status ShuttingDown() {
  return WithReason(absl::UnavailableError("the server is shutting down, try another"), kShuttingDown);
}

absl::Status QueueFull(const std::string& message) {
  return WithRetryDelay(WithReason(absl::ResourceExhaustedError(message), kQueueFull), kRetryDelay);
}

}  // namespace

absl::Status Admission::Enter() {
  std::vector<std::function<void()>> calls_to_end;
  absl::Status status;
  {
    absl::MutexLock lock(&mu_);
    status = TakePlace(&calls_to_end);
  }
  for (const std::function<void()>& end_call : calls_to_end) end_call();
  return status;
}

absl::Status Admission::TakePlace(std::vector<std::function<void()>>* calls_to_end) {
  if (closed_) return ShuttingDown();
  if (unanswered_ >= places_) {
    return QueueFull(absl::StrCat("the queue is full: ", unanswered_,
                                  " requests wait for an answer, max_pending_requests is ", places_));
  }
  if (under_way_ >= places_ + kUnreadAnswers) {
    const auto now = std::chrono::steady_clock::now();
    for (auto& [answer, unread] : unread_) {
      if (now - unread.since < patience_) break;
      if (unread.end_call) calls_to_end->push_back(std::exchange(unread.end_call, nullptr));
    }
    return QueueFull(
        absl::StrCat("too many answers are not read: ", under_way_, " requests, max_pending_requests is ", places_));
  }
  ++unanswered_;
  ++under_way_;
  return absl::OkStatus();
}

Admission::Answer Admission::Answered(std::function<void()> end_call) {
  absl::MutexLock lock(&mu_);
  --unanswered_;
  try {
    unread_.emplace(++last_answer_, Unread{std::chrono::steady_clock::now(), std::move(end_call)});
  } catch (const std::bad_alloc&) {
    // The answer goes out all the same, only nobody ends its call.
  }
  return last_answer_;
}

void Admission::Leave(Answer answer) {
  std::map<Answer, Unread>::node_type unread;  // goes outside the lock
  absl::MutexLock lock(&mu_);
  unread = unread_.extract(answer);
  if (--under_way_ == 0) emptied_.NotifyAll();
}

absl::Status Admission::CheckOpen() const {
  absl::MutexLock lock(&mu_);
  return closed_ ? ShuttingDown() : absl::OkStatus();
}

void Admission::Close() {
  absl::MutexLock lock(&mu_);
  closed_ = true;
}

bool Admission::WaitUntilEmpty(absl::Duration timeout) {
  absl::MutexLock lock(&mu_);
  const auto patience = absl::ToChronoNanoseconds(std::min(timeout, absl::Hours(24 * 365)));
  return emptied_.AwaitUntil(&mu_, std::chrono::steady_clock::now() + patience,
                             [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return IsEmpty(); });
}

void Admission::WaitUntilAnswered() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &Admission::IsAnswered));
}

}  // namespace candor
