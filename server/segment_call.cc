// SPDX-License-Identifier: Apache-2.0
#include "server/segment_call.h"

#include <grpc/grpc.h>

#include <chrono>
#include <string>
#include <utility>

#include "server/grpc_status.h"

namespace candor {

SteadyTime DeadlineOf(const grpc::CallbackServerContext& context) {
  using std::chrono::system_clock;
  const system_clock::time_point deadline = context.deadline();
  const system_clock::time_point now = system_clock::now();
  if (deadline > now + std::chrono::hours(24 * 365)) return SteadyTime::max();
  return std::chrono::steady_clock::now() + (deadline - now);
}

std::function<void()> EndOf(grpc::CallbackServerContext* context) {
  grpc_call_ref(context->c_call());
  const std::shared_ptr<grpc_call> call(context->c_call(), grpc_call_unref);
  return [call] {
    grpc_call_cancel_with_status(call.get(), GRPC_STATUS_RESOURCE_EXHAUSTED, "the answer was not read", nullptr);
  };
}

grpc::ServerUnaryReactor* SegmentCall::Start(const ServingContext& serving, grpc::CallbackServerContext* context,
                                             std::unique_ptr<Incoming<v1::SegmentRequest>> request,
                                             grpc::ByteBuffer* response, RequestIdentity identity) {
  std::string request_id = identity.request_id;
  auto* call = new SegmentCall(serving, {"Segment", std::move(identity), DeadlineOf(*context), EndOf(context)},
                               std::move(request));
  call->task_.Start([call, context, response, request_id = std::move(request_id)](const absl::Status& status) {
    if (status.ok()) *response = Serialize(call->response_, call->large_fields_);
    call->Finish(EndOfCall(context, status, request_id));
  });
  return call;  // alive even if it has ended: OnDone comes only after gRPC has the reactor
}

}  // namespace candor
