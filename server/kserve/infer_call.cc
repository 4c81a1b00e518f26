// SPDX-License-Identifier: Apache-2.0
#include "server/kserve/infer_call.h"

#include <string>
#include <utility>

#include "server/grpc_status.h"
#include "server/segment_call.h"

namespace candor {

grpc::ServerUnaryReactor* InferCall::Start(const InferContext& infer, grpc::CallbackServerContext* context,
                                           const inference::ModelInferRequest* request,
                                           inference::ModelInferResponse* response, RequestIdentity identity) {
  std::string request_id = identity.request_id;
  auto* call = new InferCall(infer, {"ModelInfer", std::move(identity), DeadlineOf(*context), EndOf(context)}, *request,
                             response);
  call->run_->Start([call, context, request_id = std::move(request_id)](const absl::Status& status) {
    call->Finish(EndOfCall(context, status, request_id));
  });
  return call;  // alive even if it has ended: OnDone comes only after gRPC has the reactor
}

}  // namespace candor
