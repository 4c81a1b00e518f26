// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "candor/v1/segmentation.pb.h"
#include "core/image/decode.h"
#include "server/execution/admission.h"
#include "server/execution/inference_executor.h"
#include "server/execution/worker_pool.h"
#include "server/metrics/metrics.h"
#include "server/model_registry.h"
#include "server/refused_pictures.h"
#include "server/request_identity.h"
#include "server/segmentation_codec.h"

namespace candor {

// What every call needs. Everything is borrowed and outlives all calls.
struct ServingContext {
  const ModelRegistry& models;
  InferenceExecutor& executor;
  WorkerPool& workers;
  Admission& admission;
  Metrics& metrics;
  DecodeLimits decode_limits;
  float uncertainty_threshold = 0.1F;           // share of a kind's upper bound
  RefusedPictures* refused_pictures = nullptr;  // null: they are not kept
};

// One Segment call: check (gRPC's thread), decode (a worker), infer (the executor), encode (a worker), finish. gRPC's
// thread only starts it: 1.51 has as few as two of them for all calls and health checks. At each moment one thread owns
// the call; only `is_cancelled_` is set from aside. Deletes itself once gRPC is done with it.
class SegmentCall : public grpc::ServerUnaryReactor {
 public:
  // Starts a call. `request` and `response` are gRPC's and live until OnDone.
  static grpc::ServerUnaryReactor* Start(const ServingContext& serving, grpc::CallbackServerContext* context,
                                         const v1::SegmentRequest* request, v1::SegmentResponse* response,
                                         RequestIdentity identity);

  void OnCancel() override;
  void OnDone() override;

 private:
  SegmentCall(const ServingContext& serving, grpc::CallbackServerContext* context, const v1::SegmentRequest* request,
              v1::SegmentResponse* response, RequestIdentity identity);

  // Each step hands the call over as its last act, or returns why the call is over.
  absl::Status Check();
  absl::Status Decode();
  absl::Status Encode(InferenceOutcome outcome);
  // Runs a step; ends the call on an error or an exception.
  template <typename Step>
  void Run(Step step) noexcept;
  void End(const absl::Status& status) noexcept;

  bool GaveUp() const { return is_cancelled_.load(std::memory_order_relaxed) || serving_.admission.abandoned(); }
  // Why nobody waits any more; OK if somebody does.
  absl::Status StillWanted() const;
  void Record(const absl::Status& status);

  const ServingContext& serving_;
  const v1::SegmentRequest& request_;
  v1::SegmentResponse& response_;
  const RequestIdentity identity_;
  const SteadyTime arrival_;
  const SteadyTime deadline_;
  std::atomic<bool> is_cancelled_{false};

  bool is_admitted_ = false;
  const LoadedModel* model_ = nullptr;
  SegmentPlan plan_;
  Image picture_;           // empty unless the plan needs it
  SteadyTime handed_over_;  // when the call last began to wait for a thread
  int width_ = 0;
  int height_ = 0;
  double decode_ms_ = 0;
  double queue_ms_ = 0;  // waits for any thread, in all
  double infer_ms_ = 0;
  double encode_ms_ = 0;
};

}  // namespace candor
