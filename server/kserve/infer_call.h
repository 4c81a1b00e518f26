// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "inference/grpc_service.pb.h"
#include "server/kserve/infer_run.h"

namespace candor {

// One ModelInfer over gRPC. Deletes itself once gRPC is done with it.
class InferCall : public grpc::ServerUnaryReactor {
 public:
  // Starts a call. `request` and `response` are gRPC's and live until OnDone.
  static grpc::ServerUnaryReactor* Start(const InferContext& infer, grpc::CallbackServerContext* context,
                                         const inference::ModelInferRequest* request,
                                         inference::ModelInferResponse* response, RequestIdentity identity);

  void OnCancel() override { run_->Cancel(); }
  void OnDone() override { delete this; }

 private:
  InferCall(const InferContext& infer, TaskCaller caller, const inference::ModelInferRequest& request,
            inference::ModelInferResponse* response)
      : run_(InferRun::Make(infer, std::move(caller), request, response)) {}

  const std::shared_ptr<InferRun> run_;
};

}  // namespace candor
