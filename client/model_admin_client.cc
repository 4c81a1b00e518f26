// SPDX-License-Identifier: Apache-2.0
#include "client/model_admin_client.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "candor/v1/admin.grpc.pb.h"
#include "client/client_security.h"
#include "client/server_list.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

using Stub = v1::ModelAdmin::Stub;

ModelChangeResult ReadChange(const v1::ModelChange& message) {
  return {message.model(), message.version_before(), message.version_after(), message.digest(), message.load_seconds()};
}

class GrpcModelAdminClient : public ModelAdminClient {
 public:
  GrpcModelAdminClient(absl::Duration timeout, const std::shared_ptr<grpc::Channel>& channel)
      : timeout_(timeout), stub_(v1::ModelAdmin::NewStub(channel)) {}

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
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    const grpc::Status status = (stub_.get()->*method)(&context, request, response);
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());  // same numbers
  }

  const absl::Duration timeout_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ModelAdminClient>> ModelAdminClient::Create(const ClientOptions& options) {
  ASSIGN_OR_RETURN(const ServerTarget server, ParseServers(options.server));
  if (server.is_balanced) {
    return absl::InvalidArgumentError(
        absl::StrCat("server: must be one server, since a change is for one, got ", options.server));
  }
  RETURN_IF_ERROR(SegmentationClient::Create(options).status());  // checks the rest
  ASSIGN_OR_RETURN(const ClientSecurity security, ClientSecurity::Read(options));
  grpc::ChannelArguments arguments;
  // A web proxy in the environment is not meant for the server.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return std::make_unique<GrpcModelAdminClient>(options.timeout, security.OpenChannel(server.target, arguments));
}

}  // namespace candor
