// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "candor/v1/segmentation.pb.h"
#include "inference/grpc_service.pb.h"
#include "server/kserve/infer_codec.h"
#include "server/kserve/shared_regions.h"
#include "server/segment_task.h"

namespace candor {

// What every ModelInfer needs. All is borrowed and outlives the requests.
struct InferContext {
  const ServingContext& serving;
  InferLimits limits;
  const SharedRegions* regions = nullptr;  // null: this caller has none
};

// One request of the Open Inference Protocol, from message to message: each of its pictures runs as a SegmentTask;
// where one fails, the request does at once, and its other pictures are given up. Only Cancel may come from aside.
//
// Shared by its call and its pictures: those that are given up end later than the call.
class InferRun : public std::enable_shared_from_this<InferRun> {
 public:
  using Done = std::function<void(const absl::Status&)>;

  // Takes what it needs of the pictures out of `request`; that and `response` are borrowed until `done` is called.
  static std::shared_ptr<InferRun> Make(const InferContext& context, TaskCaller caller,
                                        const inference::ModelInferRequest& request,
                                        inference::ModelInferResponse* response) {
    return std::shared_ptr<InferRun>(new InferRun(context, std::move(caller), request, response));
  }

  InferRun(const InferRun&) = delete;
  InferRun& operator=(const InferRun&) = delete;

  // To be called once. Never blocks. `done` is called once, with a code of Triton's, from this or another thread. The
  // call lets go of the run only once the response has left: only then does the request count as over.
  void Start(Done done) ABSL_LOCKS_EXCLUDED(mu_);

  // Thread-safe.
  void Cancel();

 private:
  InferRun(const InferContext& context, TaskCaller caller, const inference::ModelInferRequest& request,
           inference::ModelInferResponse* response);

  absl::Status Prepare(TaskCaller caller);
  // No picture was begun.
  void Refuse(const absl::Status& status);
  void PictureDone(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  // Of a picture, or of the start.
  void PartDone() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status PutTogether();
  void Finish(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

  const InferContext context_;
  const inference::ModelInferRequest& request_;
  inference::ModelInferResponse& response_;
  const SteadyTime arrival_;
  const std::string method_;
  const RequestIdentity identity_;
  std::string model_label_;
  absl::Status refusal_;
  InferPlan plan_;
  // By picture, where its pixels are if in shared memory.
  std::vector<SharedRegions::Borrowed> borrowed_;
  std::vector<absl::string_view> borrowed_bytes_;
  std::vector<InferAnswer> answers_;                 // by picture
  std::vector<std::unique_ptr<SegmentTask>> tasks_;  // by picture; after the messages they borrow
  std::atomic<int> parts_left_{0};
  std::atomic<bool> has_failed_{false};
  absl::Mutex mu_;
  Done done_ ABSL_GUARDED_BY(mu_);  // null once called
};

}  // namespace candor
