// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "absl/strings/string_view.h"
#include "candor/v1/admin.grpc.pb.h"
#include "server/call_gate.h"
#include "server/execution/worker_pool.h"
#include "server/lifecycle/model_lifecycle.h"

namespace candor {

// candor.v1.ModelAdmin over gRPC's callback interface, for the role admin. Reactions never block: changes run on the
// lifecycle's thread, the disk is read by a worker. Thread-safe.
class AdminService final : public v1::ModelAdmin::CallbackService {
 public:
  // All is borrowed and outlives the calls.
  AdminService(ModelLifecycle* lifecycle, WorkerPool* workers, CallGate* gate)
      : lifecycle_(*lifecycle), workers_(*workers), gate_(*gate) {}

  grpc::ServerUnaryReactor* LoadModel(grpc::CallbackServerContext* context, const v1::LoadModelRequest* request,
                                      v1::LoadModelResponse* response) override;
  grpc::ServerUnaryReactor* UnloadModel(grpc::CallbackServerContext* context, const v1::UnloadModelRequest* request,
                                        v1::UnloadModelResponse* response) override;
  grpc::ServerUnaryReactor* ReloadModels(grpc::CallbackServerContext* context, const v1::ReloadModelsRequest* request,
                                         v1::ReloadModelsResponse* response) override;
  grpc::ServerUnaryReactor* RollbackModel(grpc::CallbackServerContext* context, const v1::RollbackModelRequest* request,
                                          v1::RollbackModelResponse* response) override;
  grpc::ServerUnaryReactor* ListVersions(grpc::CallbackServerContext* context, const v1::ListVersionsRequest* request,
                                         v1::ListVersionsResponse* response) override;

 private:
  using End = CallGate::End;

  // Lets `work` run for a caller who may administrate; it calls `end` once, from any thread.
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, absl::string_view method,
                                   const std::function<void(End end)>& work);

  ModelLifecycle& lifecycle_;
  WorkerPool& workers_;
  CallGate& gate_;
};

}  // namespace candor
