// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "inference/grpc_service.pb.h"
#include "server/kserve/infer_run.h"

namespace candor {

// One ModelStreamInfer over gRPC: a reply for each request, in their order. An error is a reply, or, if the caller sent
// the metadata triton_grpc_error, the end of the stream. Reads while fewer than kMostUnanswered requests are without a
// written reply. Deletes itself once gRPC is done with it.
class InferStream : public grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse> {
 public:
  static constexpr size_t kMostUnanswered = 16;

  // Ends at once if `status`, why there can be no stream, is not OK. `closed` is called just before the stream ends.
  InferStream(const InferContext& infer, grpc::CallbackServerContext* context, RequestIdentity identity,
              const absl::Status& status, std::function<void()> closed);
  ~InferStream() override;

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mu_);
  void OnDone() override { delete this; }

 private:
  struct Item;

  // What to do once the lock is no longer held.
  struct Actions {
    Item* start = nullptr;
    const inference::ModelStreamInferResponse* write = nullptr;
    bool read = false;
    std::optional<grpc::Status> finish;
  };

  std::unique_ptr<Item> MakeItem();
  void ItemDone(Item* item, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  void FailWith(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Settle(Actions* actions) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Act(const Actions& actions) ABSL_LOCKS_EXCLUDED(mu_);

  const InferContext infer_;
  const RequestIdentity identity_;
  const std::function<void()> closed_;
  const SteadyTime deadline_;
  const bool errors_end_the_stream_;
  inference::ModelInferRequest incoming_;  // gRPC's while a read is under way

  absl::Mutex mu_;
  std::deque<std::unique_ptr<Item>> items_ ABSL_GUARDED_BY(mu_);  // without a written reply, in order
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_reading_ ABSL_GUARDED_BY(mu_) = false;
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;        // the first item's reply
  bool has_all_requests_ ABSL_GUARDED_BY(mu_) = false;  // the caller has sent its last
  bool is_over_ ABSL_GUARDED_BY(mu_) = false;           // no more reads or replies; what runs ends first
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status final_status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
