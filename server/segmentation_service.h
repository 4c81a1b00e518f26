// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "candor/v1/segmentation.grpc.pb.h"
#include "server/call_gate.h"
#include "server/segment_call.h"

namespace candor {

// Of these, the two that carry pictures as bytes (wire/).
using SegmentationMethods = v1::Segmentation::WithRawCallbackMethod_Segment<
    v1::Segmentation::WithRawCallbackMethod_SegmentStream<v1::Segmentation::WithCallbackMethod_ListModels<
        v1::Segmentation::WithCallbackMethod_GetModel<v1::Segmentation::Service>>>>;

// candor.v1.Segmentation over gRPC's callback interface. Reactions never block. Thread-safe.
class SegmentationService final : public SegmentationMethods {
 public:
  // Both are borrowed.
  SegmentationService(const ServingContext& serving, CallGate* gate) : serving_(serving), gate_(gate) {}

  grpc::ServerUnaryReactor* Segment(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* SegmentStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context, const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context, const v1::GetModelRequest* request,
                                     v1::GetModelResponse* response) override;

 private:
  const ServingContext& serving_;
  CallGate* const gate_;
  std::atomic<int> open_streams_{0};
};

}  // namespace candor
