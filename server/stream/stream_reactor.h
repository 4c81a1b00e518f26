// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/grpc_status.h"
#include "server/request_identity.h"

namespace candor {

// How the streams of all protocols live: requests are read while there is room for more, answers written one at a time,
// and the stream ends when it is over and nothing runs any more. gRPC may call a reaction on the thread that starts an
// operation, so none is started under the lock: a change under it says what to do once it is no longer held. Deletes
// itself once gRPC is done with it.
//
// `Work` is what a request sets going; the stream cannot end before it has.
template <typename Request, typename Response, typename Work>
class StreamReactor : public grpc::ServerBidiReactor<Request, Response> {
 public:
  void OnCancel() final ABSL_LOCKS_EXCLUDED(mu_) {
    Change([this](Actions* /*actions*/) {
      mu_.AssertHeld();
      FailWith(absl::CancelledError("the caller gave up"));
    });
  }
  void OnDone() final { delete this; }

 protected:
  // What to do once the lock is no longer held.
  struct Actions {
    std::unique_ptr<Work> written;  // goes first: a caller who sees the end finds its place in the admission free
    Work* start = nullptr;
    const Response* write = nullptr;
    bool read = false;
    std::optional<grpc::Status> finish;
  };

  // `closed` is called just before the stream ends.
  StreamReactor(RequestIdentity identity, std::function<void()> closed)
      : identity_(std::move(identity)), closed_(std::move(closed)) {}

  // Runs `change`, which may mu_.AssertHeld(), under the lock, then does what follows from it. This object may be gone
  // afterwards.
  template <typename Step>
  void Change(const Step& change) ABSL_LOCKS_EXCLUDED(mu_) {
    Actions actions;
    {
      absl::MutexLock lock(&mu_);
      change(&actions);
      Settle(&actions);
    }
    actions.written.reset();
    Act(actions);
  }

  // No more requests or answers. Only the first reason counts.
  void FailWith(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (is_over_) return;
    is_over_ = true;
    EndWith(status);
    CancelWork();
  }
  // With this status the stream will end, unless something else is wrong.
  void EndWith(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    final_status_ = ToGrpcStatus(status, identity_.request_id);
  }

  virtual void CancelWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;
  // The answer whose turn it is, null for none; or fails the stream. Not called during a write.
  virtual const Response* NextAnswer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;
  virtual bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;
  virtual bool IsComplete() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;
  virtual void StartWork(Work* work) ABSL_LOCKS_EXCLUDED(mu_) = 0;

  const RequestIdentity identity_;
  const std::function<void()> closed_;
  Request incoming_;  // gRPC's while a read is under way

  absl::Mutex mu_;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_reading_ ABSL_GUARDED_BY(mu_) = false;
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool has_all_requests_ ABSL_GUARDED_BY(mu_) = false;  // the caller has sent its last, or is told to
  bool is_over_ ABSL_GUARDED_BY(mu_) = false;           // no more reads or answers; what runs ends first

 private:
  void Settle(Actions* actions) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (is_finished_) return;
    const Response* next = is_over_ || is_writing_ ? nullptr : NextAnswer();
    if (next != nullptr) {
      is_writing_ = true;
      actions->write = next;
    }
    if (!is_over_ && !is_reading_ && !has_all_requests_ && HasRoom()) {
      is_reading_ = true;
      actions->read = true;
    }
    if ((is_over_ || IsComplete()) && running_ == 0 && !is_writing_) {
      is_finished_ = true;
      actions->finish = final_status_;
    }
  }

  // A start may end at once, and with it the stream: it comes last. While it has not ended the stream cannot finish.
  void Act(const Actions& actions) ABSL_LOCKS_EXCLUDED(mu_) {
    if (actions.write != nullptr) this->StartWrite(actions.write);
    if (actions.read) this->StartRead(&incoming_);
    if (actions.finish.has_value()) {
      closed_();  // before the end: a caller who has seen it finds the place free
      this->Finish(*actions.finish);
    }
    if (actions.start != nullptr) StartWork(actions.start);
  }

  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status final_status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
