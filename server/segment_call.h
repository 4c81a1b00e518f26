// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "candor/v1/segmentation.pb.h"
#include "server/segment_task.h"
#include "wire/segmentation_messages.h"

namespace candor {

// On the steady clock, which does not jump; far ones (gRPC's "none" too) become none.
SteadyTime DeadlineOf(const grpc::CallbackServerContext& context);

// Ends the call as if its caller had gone; does nothing once it is over. Thread-safe; outlives the context.
std::function<void()> EndOf(grpc::CallbackServerContext* context);

// One Segment call over gRPC. gRPC's threads only start it and hear of its end: 1.51 has as few as two of them for all
// calls and health checks. Deletes itself once gRPC is done with it.
class SegmentCall : public grpc::ServerUnaryReactor {
 public:
  // Starts a call. `response` is gRPC's and lives until OnDone.
  static grpc::ServerUnaryReactor* Start(const ServingContext& serving, grpc::CallbackServerContext* context,
                                         std::unique_ptr<Incoming<v1::SegmentRequest>> request,
                                         grpc::ByteBuffer* response, RequestIdentity identity);

  void OnCancel() override { task_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  SegmentCall(const ServingContext& serving, TaskCaller caller, std::unique_ptr<Incoming<v1::SegmentRequest>> request)
      : request_(std::move(request)),
        task_(serving, std::move(caller), request_->message, &response_,
              PictureBytes{request_->PictureData(request_->message)}, &large_fields_) {}

  const std::unique_ptr<Incoming<v1::SegmentRequest>> request_;
  v1::SegmentResponse response_;
  std::vector<grpc::Slice> large_fields_;
  SegmentTask task_;
};

}  // namespace candor
