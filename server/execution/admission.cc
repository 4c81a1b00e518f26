// SPDX-License-Identifier: Apache-2.0
//
// The bound on requests under way.
#include "server/execution/admission.h"

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

absl::Status ShuttingDown() { return absl::UnavailableError("the server is shutting down, try another"); }

}  // namespace

absl::Status Admission::Enter() {
  absl::MutexLock lock(&mu_);
  if (closed_) return ShuttingDown();
  if (pending_ >= max_pending_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the queue is full: ", pending_, " requests are under way, max_pending_requests is ", max_pending_));
  }
  ++pending_;
  return absl::OkStatus();
}

void Admission::Leave() {
  absl::MutexLock lock(&mu_);
  --pending_;
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
  return mu_.AwaitWithTimeout(absl::Condition(this, &Admission::IsEmpty), timeout);
}

}  // namespace candor
