// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "candor/v1/segmentation.grpc.pb.h"
#include "server/security/authorizer.h"
#include "server/segment_call.h"

namespace candor {

// candor.v1.Segmentation over gRPC's callback interface. Reactions never block. Thread-safe.
class SegmentationService final : public v1::Segmentation::CallbackService {
 public:
  // `authorizer` is borrowed.
  SegmentationService(ServingContext serving, Authorizer* authorizer);

  grpc::ServerUnaryReactor* Segment(grpc::CallbackServerContext* context, const v1::SegmentRequest* request,
                                    v1::SegmentResponse* response) override;
  grpc::ServerBidiReactor<v1::StreamRequest, v1::StreamResponse>* SegmentStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context, const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context, const v1::GetModelRequest* request,
                                     v1::GetModelResponse* response) override;

 private:
  // Answers at once from memory. `answer` returns the status and sets the metrics' model label.
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, absl::string_view method,
                                   const std::function<absl::Status(std::string* model)>& answer);
  // By the call's metadata; the id goes back as a response header.
  RequestIdentity Identify(grpc::CallbackServerContext* context);

  const ServingContext serving_;
  Authorizer* const authorizer_;
  const std::string request_id_prefix_;  // random, so that ids of two servers or two runs differ
  std::atomic<uint32_t> request_count_{0};
  std::atomic<int> open_streams_{0};
};

}  // namespace candor
