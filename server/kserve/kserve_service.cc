// SPDX-License-Identifier: Apache-2.0
//
// The methods of inference.GRPCInferenceService.
#include "server/kserve/kserve_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/build_info.h"
#include "server/error_details.h"
#include "server/kserve/entry_view.h"
#include "server/kserve/infer_call.h"
#include "server/kserve/infer_stream.h"
#include "server/kserve/triton_status.h"

namespace candor {
namespace {

using Unary = grpc::ServerUnaryReactor;

absl::Status NoRepositoryControl() {
  return absl::UnimplementedError(
      "model_name: this server loads its models at the start and lets clients neither load nor unload any");
}

absl::Status NoCudaSharedMemory() { return absl::UnimplementedError("name: this server has no CUDA shared memory"); }

}  // namespace

SharedRegions* KServeService::RegionsFor(const Context& context) {
  return settings_.has_shared_memory && IsLoopbackPeer(context.peer()) ? &regions_ : nullptr;
}

InferContext KServeService::InferContextFor(const Context& context) {
  return {serving_, {settings_.max_pictures, settings_.max_message_bytes}, RegionsFor(context)};
}

Unary* KServeService::ServerLive(Context* context, const inference::ServerLiveRequest* /*request*/,
                                 inference::ServerLiveResponse* response) {
  return gate_->Answer(context, {"ServerLive", Role::kInfer, true}, [response](std::string* /*model*/) {
    response->set_live(true);
    return absl::OkStatus();
  });
}

Unary* KServeService::ServerReady(Context* context, const inference::ServerReadyRequest* /*request*/,
                                  inference::ServerReadyResponse* response) {
  return gate_->Answer(context, {"ServerReady", Role::kInfer, true}, [this, response](std::string* /*model*/) {
    response->set_ready(is_ready());
    return absl::OkStatus();
  });
}

Unary* KServeService::ModelReady(Context* context, const inference::ModelReadyRequest* request,
                                 inference::ModelReadyResponse* response) {
  return gate_->Answer(context, {"ModelReady", Role::kInfer, true}, [=](std::string* model) -> absl::Status {
    *model = std::string(Metrics::kUnknownModel);
    const absl::StatusOr<ModelEntry> entry = FindEntry(serving_.models.Now(), request->name(), request->version());
    if (absl::IsInvalidArgument(entry.status())) return entry.status();
    if (entry.ok()) *model = entry->info().name;
    response->set_ready(entry.ok() && is_ready());
    return absl::OkStatus();
  });
}

Unary* KServeService::ServerMetadata(Context* context, const inference::ServerMetadataRequest* /*request*/,
                                     inference::ServerMetadataResponse* response) {
  return gate_->Answer(context, {"ServerMetadata"}, [this, response](std::string* /*model*/) {
    response->set_name("candor");
    response->set_version(std::string(BuildVersion()));
    for (const char* name :
         {"binary_tensor_data", "model_configuration", "parameters", "schedule_policy", "statistics"}) {
      response->add_extensions(name);
    }
    if (settings_.has_shared_memory) response->add_extensions("system_shared_memory");
    return absl::OkStatus();
  });
}

Unary* KServeService::ModelMetadata(Context* context, const inference::ModelMetadataRequest* request,
                                    inference::ModelMetadataResponse* response) {
  return gate_->Answer(context, {"ModelMetadata"}, [=](std::string* model) -> absl::Status {
    *model = std::string(Metrics::kUnknownModel);
    ASSIGN_OR_RETURN(const ModelEntry entry, FindEntry(serving_.models.Now(), request->name(), request->version()));
    *model = entry.info().name;
    FillMetadata(entry, request->name(), response);
    return absl::OkStatus();
  });
}

Unary* KServeService::ModelConfig(Context* context, const inference::ModelConfigRequest* request,
                                  inference::ModelConfigResponse* response) {
  return gate_->Answer(context, {"ModelConfig"}, [=](std::string* model) -> absl::Status {
    *model = std::string(Metrics::kUnknownModel);
    ASSIGN_OR_RETURN(const ModelEntry entry, FindEntry(serving_.models.Now(), request->name(), request->version()));
    *model = entry.info().name;
    FillConfig(entry, request->name(), settings_.max_pictures, response->mutable_config());
    return absl::OkStatus();
  });
}

Unary* KServeService::ModelStatistics(Context* context, const inference::ModelStatisticsRequest* request,
                                      inference::ModelStatisticsResponse* response) {
  return gate_->Answer(context, {"ModelStatistics"}, [=](std::string* model) -> absl::Status {
    const std::shared_ptr<const ModelRegistry> models = serving_.models.Now();
    std::vector<std::string> names = {request->name()};
    if (request->name().empty()) {
      // Each model once: its aliases have the same counts.
      names.clear();
      for (const LoadedModel& loaded : models->models()) {
        names.push_back(loaded.segmenter->info().name);
        const std::string encoded = absl::StrCat(names.back(), kEncodedSuffix);
        if (!models->Find(encoded).ok()) names.push_back(encoded);
      }
    }
    for (const std::string& name : names) {
      ASSIGN_OR_RETURN(const ModelEntry entry, FindEntry(models, name, request->version()));
      if (!request->name().empty()) *model = entry.info().name;
      FillStatistics(serving_.statistics.Of({entry.info().name, entry.info().version, entry.form == InputForm::kFiles}),
                     name, response->add_model_stats());
    }
    return absl::OkStatus();
  });
}

Unary* KServeService::ModelInfer(Context* context, const inference::ModelInferRequest* request,
                                 inference::ModelInferResponse* response) {
  const absl::Status denied = gate_->Authorize(*context, Role::kInfer);
  if (!denied.ok()) return gate_->Answer(context, {"ModelInfer"}, [&denied](std::string* /*model*/) { return denied; });
  return InferCall::Start(InferContextFor(*context), context, request, response, gate_->Identify(*context));
}

grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>*
KServeService::ModelStreamInfer(Context* context) {
  RequestIdentity identity = gate_->IdentifyStream(context);
  absl::Status status = gate_->Authorize(*context, Role::kInfer);
  if (status.ok()) status = serving_.admission.CheckOpen();
  if (const int open = open_streams_.fetch_add(1); status.ok() && open >= serving_.max_streams) {
    status = WithReason(
        absl::ResourceExhaustedError(absl::StrCat("too many streams are open: max_streams is ", serving_.max_streams)),
        kTooManyStreams);
  }
  return new InferStream(InferContextFor(*context), context, std::move(identity), status,
                         [this] { open_streams_.fetch_sub(1); });
}

Unary* KServeService::RepositoryIndex(Context* context, const inference::RepositoryIndexRequest* /*request*/,
                                      inference::RepositoryIndexResponse* response) {
  return gate_->Answer(context, {"RepositoryIndex"}, [this, response](std::string* /*model*/) -> absl::Status {
    const std::shared_ptr<const ModelRegistry> models = serving_.models.Now();
    for (const std::string& name : EntryNames(*models)) {
      ASSIGN_OR_RETURN(const ModelEntry entry, FindEntry(models, name, ""));
      inference::RepositoryIndexResponse::ModelIndex* index = response->add_models();
      index->set_name(name);
      index->set_version(absl::StrCat(entry.info().version));
      index->set_state("READY");
    }
    return absl::OkStatus();
  });
}

Unary* KServeService::RepositoryModelLoad(Context* context, const inference::RepositoryModelLoadRequest* request,
                                          inference::RepositoryModelLoadResponse* /*response*/) {
  return Change(context, "RepositoryModelLoad", [=](CallGate::End end) {
    if (!request->parameters().empty()) {
      return end(absl::InvalidArgumentError(
          absl::StrCat("parameters[\"", absl::CHexEscape(request->parameters().begin()->first.substr(0, 64)),
                       "\"]: unknown; a model's configuration and files are the server's alone")));
    }
    lifecycle_->Load(request->model_name(), 0,
                     [end](const absl::StatusOr<std::vector<ModelChange>>& changes) { end(changes.status()); });
  });
}

Unary* KServeService::RepositoryModelUnload(Context* context, const inference::RepositoryModelUnloadRequest* request,
                                            inference::RepositoryModelUnloadResponse* /*response*/) {
  return Change(context, "RepositoryModelUnload", [=](CallGate::End end) {
    for (const auto& [key, value] : request->parameters()) {
      if (key == "unload_dependents") continue;  // no model depends on another
      return end(absl::InvalidArgumentError(
          absl::StrCat("parameters[\"", absl::CHexEscape(key.substr(0, 64)), "\"]: unknown")));
    }
    lifecycle_->Unload(request->model_name(),
                       [end](const absl::StatusOr<std::vector<ModelChange>>& changes) { end(changes.status()); });
  });
}

Unary* KServeService::Change(Context* context, absl::string_view method,
                             const std::function<void(CallGate::End end)>& change) {
  return gate_->AnswerLater(context, {method, Role::kAdmin}, [&](CallGate::End end) {
    if (lifecycle_ == nullptr) return end(NoRepositoryControl());
    change([end = std::move(end)](const absl::Status& status) { end(ToTritonStatus(status)); });
  });
}

Unary* KServeService::SystemSharedMemoryStatus(Context* context,
                                               const inference::SystemSharedMemoryStatusRequest* request,
                                               inference::SystemSharedMemoryStatusResponse* response) {
  return gate_->Answer(context, {"SystemSharedMemoryStatus"}, [=](std::string* /*model*/) -> absl::Status {
    const SharedRegions* regions = RegionsFor(*context);
    if (regions == nullptr) return request->name().empty() ? absl::OkStatus() : NoSharedMemory();
    ASSIGN_OR_RETURN(const std::vector<SharedRegions::Region> list, regions->List(request->name()));
    for (const SharedRegions::Region& region : list) {
      auto& status = (*response->mutable_regions())[region.name];
      status.set_name(region.name);
      status.set_key(region.key);
      status.set_offset(region.offset);
      status.set_byte_size(region.bytes);
    }
    return absl::OkStatus();
  });
}

Unary* KServeService::SystemSharedMemoryRegister(Context* context,
                                                 const inference::SystemSharedMemoryRegisterRequest* request,
                                                 inference::SystemSharedMemoryRegisterResponse* /*response*/) {
  return gate_->Answer(context, {"SystemSharedMemoryRegister"}, [=](std::string* /*model*/) -> absl::Status {
    SharedRegions* regions = RegionsFor(*context);
    if (regions == nullptr) return NoSharedMemory();
    return ToTritonStatus(
        regions->Register({request->name(), request->key(), request->offset(), request->byte_size()}));
  });
}

// Clients also call these two to tidy up, whether or not there is such memory.
Unary* KServeService::SystemSharedMemoryUnregister(Context* context,
                                                   const inference::SystemSharedMemoryUnregisterRequest* request,
                                                   inference::SystemSharedMemoryUnregisterResponse* /*response*/) {
  return gate_->Answer(context, {"SystemSharedMemoryUnregister"}, [=](std::string* /*model*/) {
    if (SharedRegions* regions = RegionsFor(*context); regions != nullptr) regions->Unregister(request->name());
    return absl::OkStatus();
  });
}

Unary* KServeService::CudaSharedMemoryUnregister(Context* context,
                                                 const inference::CudaSharedMemoryUnregisterRequest* /*request*/,
                                                 inference::CudaSharedMemoryUnregisterResponse* /*response*/) {
  return gate_->Answer(context, {"CudaSharedMemoryUnregister"},
                       [](std::string* /*model*/) { return absl::OkStatus(); });
}

Unary* KServeService::CudaSharedMemoryStatus(Context* context, const inference::CudaSharedMemoryStatusRequest* request,
                                             inference::CudaSharedMemoryStatusResponse* /*response*/) {
  return gate_->Answer(context, {"CudaSharedMemoryStatus"}, [=](std::string* /*model*/) {
    return request->name().empty() ? absl::OkStatus() : NoCudaSharedMemory();
  });
}

Unary* KServeService::CudaSharedMemoryRegister(Context* context,
                                               const inference::CudaSharedMemoryRegisterRequest* /*request*/,
                                               inference::CudaSharedMemoryRegisterResponse* /*response*/) {
  return gate_->Answer(context, {"CudaSharedMemoryRegister"},
                       [](std::string* /*model*/) { return NoCudaSharedMemory(); });
}

Unary* KServeService::TraceSetting(Context* context, const inference::TraceSettingRequest* request,
                                   inference::TraceSettingResponse* response) {
  return gate_->Answer(context, {"TraceSetting"}, [=](std::string* /*model*/) -> absl::Status {
    if (!request->settings().empty()) {
      return absl::UnimplementedError("settings: this server traces nothing; it logs the traceparent of each request");
    }
    (*response->mutable_settings())["trace_level"].add_value("OFF");
    return absl::OkStatus();
  });
}

Unary* KServeService::LogSettings(Context* context, const inference::LogSettingsRequest* request,
                                  inference::LogSettingsResponse* response) {
  return gate_->Answer(context, {"LogSettings"}, [=](std::string* /*model*/) -> absl::Status {
    if (!request->settings().empty()) {
      return absl::UnimplementedError("settings: what this server logs is in its configuration, log_level");
    }
    auto& settings = *response->mutable_settings();
    settings["log_error"].set_bool_param(true);
    settings["log_warning"].set_bool_param(settings_.log_level <= LogLevel::kWarning);
    settings["log_info"].set_bool_param(settings_.log_level <= LogLevel::kInfo);
    settings["log_verbose_level"].set_uint32_param(settings_.log_level <= LogLevel::kDebug ? 1 : 0);
    return absl::OkStatus();
  });
}

}  // namespace candor
