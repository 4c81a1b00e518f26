// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "candor/v1/segmentation.pb.h"
#include "server/segment_task.h"

namespace candor {

// On the steady clock, which does not jump; far ones (gRPC's "none" too) become none.
SteadyTime DeadlineOf(const grpc::CallbackServerContext& context);

// One Segment call over gRPC. gRPC's threads only start it and hear of its end: 1.51 has as few as two of them for all
// calls and health checks. Deletes itself once gRPC is done with it.
class SegmentCall : public grpc::ServerUnaryReactor {
 public:
  // Starts a call. `request` and `response` are gRPC's and live until OnDone.
  static grpc::ServerUnaryReactor* Start(const ServingContext& serving, grpc::CallbackServerContext* context,
                                         const v1::SegmentRequest* request, v1::SegmentResponse* response,
                                         RequestIdentity identity);

  void OnCancel() override { task_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  SegmentCall(const ServingContext& serving, TaskCaller caller, const v1::SegmentRequest* request,
              v1::SegmentResponse* response)
      : task_(serving, std::move(caller), *request, response) {}

  SegmentTask task_;
};

}  // namespace candor
