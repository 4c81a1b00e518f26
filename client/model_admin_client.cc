// SPDX-License-Identifier: Apache-2.0
#include "client/model_admin_client.h"

#include <utility>

#include "absl/status/status.h"
#include "candor/v1/admin.grpc.pb.h"
#include "client/one_server.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

using Stub = v1::ModelAdmin::Stub;

ModelChangeResult ReadChange(const v1::ModelChange& message) {
  return {message.model(), message.version_before(), message.version_after(), message.digest(), message.load_seconds()};
}

class GrpcModelAdminClient : public ModelAdminClient {
 public:
  explicit GrpcModelAdminClient(OneServer server)
      : server_(std::move(server)), stub_(v1::ModelAdmin::NewStub(server_.channel())) {}

  absl::StatusOr<ModelChangeResult> Load(const std::string& model, int version) override {
    v1::LoadModelRequest request;
    request.set_model(model);
    request.set_version(version);
    v1::LoadModelResponse response;
    RETURN_IF_ERROR(Call(&Stub::LoadModel, request, &response));
    return ReadChange(response.change());
  }

  absl::StatusOr<ModelChangeResult> Unload(const std::string& model) override {
    v1::UnloadModelRequest request;
    request.set_model(model);
    v1::UnloadModelResponse response;
    RETURN_IF_ERROR(Call(&Stub::UnloadModel, request, &response));
    return ReadChange(response.change());
  }

  absl::StatusOr<std::vector<ModelChangeResult>> Reload(const std::string& model) override {
    v1::ReloadModelsRequest request;
    request.set_model(model);
    v1::ReloadModelsResponse response;
    RETURN_IF_ERROR(Call(&Stub::ReloadModels, request, &response));
    std::vector<ModelChangeResult> changes;
    for (const v1::ModelChange& change : response.changes()) changes.push_back(ReadChange(change));
    return changes;
  }

  absl::StatusOr<ModelChangeResult> Rollback(const std::string& model) override {
    v1::RollbackModelRequest request;
    request.set_model(model);
    v1::RollbackModelResponse response;
    RETURN_IF_ERROR(Call(&Stub::RollbackModel, request, &response));
    return ReadChange(response.change());
  }

  absl::StatusOr<std::vector<ModelVersionsOnServer>> ListVersions(const std::string& model) override {
    v1::ListVersionsRequest request;
    request.set_model(model);
    v1::ListVersionsResponse response;
    RETURN_IF_ERROR(Call(&Stub::ListVersions, request, &response));
    std::vector<ModelVersionsOnServer> models;
    for (const v1::ModelVersions& message : response.models()) {
      ModelVersionsOnServer versions{
          message.model(), message.directory(), message.served_version(), message.previous_version(), {}};
      for (const v1::VersionInfo& info : message.versions()) {
        versions.versions.push_back({info.version(), info.complete()});
      }
      models.push_back(std::move(versions));
    }
    return models;
  }

 private:
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    return server_.Call(stub_.get(), method, request, response);
  }

  const OneServer server_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ModelAdminClient>> ModelAdminClient::Create(const ClientOptions& options) {
  ASSIGN_OR_RETURN(OneServer server, OneServer::Open(options, "a change is for one"));
  return std::make_unique<GrpcModelAdminClient>(std::move(server));
}

}  // namespace candor
