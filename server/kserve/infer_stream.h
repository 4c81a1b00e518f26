// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>

#include <deque>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "inference/grpc_service.pb.h"
#include "server/kserve/infer_run.h"
#include "server/stream/stream_reactor.h"

namespace candor {

// A request of a stream, from its arrival until its reply is written.
struct InferItem {
  inference::ModelInferRequest request;
  inference::ModelStreamInferResponse response;
  std::shared_ptr<InferRun> run;  // after the messages it borrows
  bool is_done = false;
  absl::Status status;
};

// One ModelStreamInfer over gRPC: a reply for each request, in their order. An error is a reply, or, if the caller sent
// the metadata triton_grpc_error, the end of the stream. Reads while fewer than kMostUnanswered requests are without a
// written reply.
class InferStream final
    : public StreamReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse, InferItem> {
 public:
  static constexpr size_t kMostUnanswered = 16;

  // Ends at once if `status`, why there can be no stream, is not OK. `closed` is called just before the stream ends.
  InferStream(const InferContext& infer, grpc::CallbackServerContext* context, RequestIdentity identity,
              const absl::Status& status, std::function<void()> closed);

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  std::unique_ptr<InferItem> MakeItem();
  void ItemDone(InferItem* item, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

  void CancelWork() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  const inference::ModelStreamInferResponse* NextAnswer() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool HasRoom() const override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return items_.size() < kMostUnanswered; }
  bool IsComplete() const override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return has_all_requests_ && items_.empty(); }
  void StartWork(InferItem* item) override ABSL_LOCKS_EXCLUDED(mu_);

  const InferContext infer_;
  const SteadyTime deadline_;
  const std::function<void()> end_call_;
  const bool errors_end_the_stream_;

  // Without a written reply, in order; the first one's is being written.
  std::deque<std::unique_ptr<InferItem>> items_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
