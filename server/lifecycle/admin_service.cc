// SPDX-License-Identifier: Apache-2.0
//
// The methods of candor.v1.ModelAdmin.
#include "server/lifecycle/admin_service.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

using Changes = absl::StatusOr<std::vector<ModelChange>>;

void FillChange(const ModelChange& change, v1::ModelChange* message) {
  message->set_model(change.model);
  message->set_version_before(change.version_before);
  message->set_version_after(change.version_after);
  message->set_digest(change.digest);
  message->set_load_seconds(change.load_seconds);
}

// The change of the one model that the call is about, into `message`.
ModelLifecycle::Done FillOneChange(v1::ModelChange* message, std::function<void(const absl::Status&)> end) {
  return [message, end = std::move(end)](const Changes& changes) {
    if (changes.ok() && !changes->empty()) FillChange(changes->front(), message);
    end(changes.status());
  };
}

}  // namespace

grpc::ServerUnaryReactor* AdminService::Answer(grpc::CallbackServerContext* context, absl::string_view method,
                                               const std::function<void(End end)>& work) {
  return gate_.AnswerLater(context, {method, Role::kAdmin}, work);
}

grpc::ServerUnaryReactor* AdminService::LoadModel(grpc::CallbackServerContext* context,
                                                  const v1::LoadModelRequest* request,
                                                  v1::LoadModelResponse* response) {
  return Answer(context, "LoadModel", [&](End end) {
    if (request->version() < 0) {
      return end(absl::InvalidArgumentError(absl::StrCat("version: must be >= 0, got ", request->version())));
    }
    lifecycle_.Load(request->model(), request->version(), FillOneChange(response->mutable_change(), std::move(end)));
  });
}

grpc::ServerUnaryReactor* AdminService::UnloadModel(grpc::CallbackServerContext* context,
                                                    const v1::UnloadModelRequest* request,
                                                    v1::UnloadModelResponse* response) {
  return Answer(context, "UnloadModel", [&](End end) {
    lifecycle_.Unload(request->model(), FillOneChange(response->mutable_change(), std::move(end)));
  });
}

grpc::ServerUnaryReactor* AdminService::ReloadModels(grpc::CallbackServerContext* context,
                                                     const v1::ReloadModelsRequest* request,
                                                     v1::ReloadModelsResponse* response) {
  return Answer(context, "ReloadModels", [&](End end) {
    lifecycle_.Reload(request->model(), [response, end = std::move(end)](const Changes& changes) {
      if (changes.ok()) {
        for (const ModelChange& change : *changes) FillChange(change, response->add_changes());
      }
      end(changes.status());
    });
  });
}

grpc::ServerUnaryReactor* AdminService::RollbackModel(grpc::CallbackServerContext* context,
                                                      const v1::RollbackModelRequest* request,
                                                      v1::RollbackModelResponse* response) {
  return Answer(context, "RollbackModel", [&](End end) {
    lifecycle_.Rollback(request->model(), FillOneChange(response->mutable_change(), std::move(end)));
  });
}

grpc::ServerUnaryReactor* AdminService::ListVersions(grpc::CallbackServerContext* context,
                                                     const v1::ListVersionsRequest* request,
                                                     v1::ListVersionsResponse* response) {
  return Answer(context, "ListVersions", [&](End end) {
    workers_.Submit([this, request, response, end = std::move(end)] {
      const absl::StatusOr<std::vector<ModelOnDisk>> models = lifecycle_.List(request->model());
      if (!models.ok()) return end(models.status());
      for (const ModelOnDisk& model : *models) {
        v1::ModelVersions& message = *response->add_models();
        message.set_model(model.name);
        message.set_directory(model.place);
        message.set_served_version(model.served_version);
        message.set_previous_version(model.previous_version);
        for (const VersionOnDisk& version : model.versions) {
          v1::VersionInfo& info = *message.add_versions();
          info.set_version(version.number);
          info.set_complete(version.is_complete);
        }
      }
      end(absl::OkStatus());
    });
  });
}

}  // namespace candor
