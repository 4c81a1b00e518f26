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
// where one fails, the request does, and its other pictures are given up. Only Cancel may come from aside.
class InferRun {
 public:
  using Done = std::function<void(const absl::Status&)>;

  // Takes what it needs of the pictures out of `request`; that and `response` are borrowed until the destructor.
  InferRun(const InferContext& context, TaskCaller caller, const inference::ModelInferRequest& request,
           inference::ModelInferResponse* response);
  // Not before `done` has been called, if the run was started; once the response has left: see SegmentTask.
  ~InferRun() = default;

  InferRun(const InferRun&) = delete;
  InferRun& operator=(const InferRun&) = delete;

  // To be called once. Never blocks. `done` is called once, with a code of Triton's, from this or another thread; the
  // run may be destroyed from then on.
  void Start(Done done);

  // Thread-safe, from the constructor to the destructor.
  void Cancel();

 private:
  absl::Status Prepare(TaskCaller caller);
  // No picture was begun.
  void Refuse(const absl::Status& status);
  void PictureDone(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  // Of a picture, or of the start.
  void PartDone() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status PutTogether();

  const InferContext context_;
  const inference::ModelInferRequest& request_;
  inference::ModelInferResponse& response_;
  const SteadyTime arrival_;
  RequestIdentity identity_;
  std::string model_label_;
  absl::Status refusal_;
  InferPlan plan_;
  std::vector<v1::SegmentResponse> answers_;         // by picture
  std::vector<std::unique_ptr<SegmentTask>> tasks_;  // by picture; after the messages they borrow
  Done done_;
  std::atomic<int> parts_left_{0};
  absl::Mutex mu_;
  absl::Status status_ ABSL_GUARDED_BY(mu_);  // of the first picture that failed
};

}  // namespace candor
