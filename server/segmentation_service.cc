// SPDX-License-Identifier: Apache-2.0
//
// The methods of candor.v1.Segmentation.
#include "server/segmentation_service.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/error_details.h"
#include "server/grpc_status.h"
#include "server/model_codec.h"
#include "server/stream/stream_call.h"

namespace candor {

SegmentationService::SegmentationService(ServingContext serving, Authorizer* authorizer)
    : serving_(serving),
      authorizer_(authorizer),
      request_id_prefix_(absl::StrCat(absl::Hex(std::random_device()(), absl::kZeroPad8))) {}

RequestIdentity SegmentationService::Identify(grpc::CallbackServerContext* context) {
  const auto values = [context](const char* header) {
    std::vector<absl::string_view> found;
    const auto range = context->client_metadata().equal_range(header);
    for (auto it = range.first; it != range.second; ++it) found.emplace_back(it->second.data(), it->second.size());
    return found;
  };
  RequestIdentity identity =
      IdentifyRequest(values(kRequestIdHeader), values(kTraceparentHeader),
                      absl::StrCat(request_id_prefix_, absl::Hex(request_count_.fetch_add(1) + 1, absl::kZeroPad8)));
  context->AddInitialMetadata(kRequestIdHeader, identity.request_id);
  return identity;
}

grpc::ServerUnaryReactor* SegmentationService::Segment(grpc::CallbackServerContext* context,
                                                       const v1::SegmentRequest* request,
                                                       v1::SegmentResponse* response) {
  const absl::Status denied = authorizer_->Check(*context, Role::kInfer);
  if (!denied.ok()) return Answer(context, "Segment", [&denied](std::string* /*model*/) { return denied; });
  return SegmentCall::Start(serving_, context, request, response, Identify(context));
}

grpc::ServerBidiReactor<v1::StreamRequest, v1::StreamResponse>* SegmentationService::SegmentStream(
    grpc::CallbackServerContext* context) {
  RequestIdentity identity = Identify(context);
  absl::Status status = authorizer_->Check(*context, Role::kInfer);
  if (status.ok()) status = serving_.admission.CheckOpen();
  if (const int open = open_streams_.fetch_add(1); status.ok() && open >= serving_.max_streams) {
    status = WithReason(
        absl::ResourceExhaustedError(absl::StrCat("too many streams are open: max_streams is ", serving_.max_streams)),
        kTooManyStreams);
  }
  return new StreamCall(serving_, context, std::move(identity), status, [this] { open_streams_.fetch_sub(1); });
}

grpc::ServerUnaryReactor* SegmentationService::Answer(grpc::CallbackServerContext* context, absl::string_view method,
                                                      const std::function<absl::Status(std::string* model)>& answer) {
  const auto start = std::chrono::steady_clock::now();
  const RequestIdentity identity = Identify(context);
  std::string model(Metrics::kNoModel);
  serving_.metrics.RequestStarted();
  absl::Status status = authorizer_->Check(*context, Role::kInfer);
  try {
    if (status.ok()) status = serving_.admission.CheckOpen();
    if (status.ok()) status = answer(&model);
  } catch (const std::exception& e) {
    status = absl::InternalError(absl::StrCat("unexpected failure: ", e.what()));
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  serving_.metrics.RequestFinished(method, model, status.code(), seconds);
  LogInfo("request", {{"request_id", identity.request_id},
                      {"trace_id", identity.trace.trace_id},
                      {"parent_id", identity.trace.parent_id},
                      {"method", method},
                      {"model", model},
                      {"code", absl::StatusCodeToString(status.code())},
                      {"error", status.message()},
                      {"total_ms", seconds * 1000}});
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status, identity.request_id));
  return reactor;
}

grpc::ServerUnaryReactor* SegmentationService::ListModels(grpc::CallbackServerContext* context,
                                                          const v1::ListModelsRequest* /*request*/,
                                                          v1::ListModelsResponse* response) {
  return Answer(context, "ListModels", [this, response](std::string* /*model*/) {
    const std::shared_ptr<const ModelRegistry> registry = serving_.models.Now();
    std::vector<const LoadedModel*> models;
    for (const LoadedModel& model : registry->models()) models.push_back(&model);
    std::sort(models.begin(), models.end(), [](const LoadedModel* a, const LoadedModel* b) {
      return a->segmenter->info().name < b->segmenter->info().name;
    });
    for (const LoadedModel* model : models) FillModel(*model, response->add_models());
    response->set_default_model(registry->default_model().segmenter->info().name);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* SegmentationService::GetModel(grpc::CallbackServerContext* context,
                                                        const v1::GetModelRequest* request,
                                                        v1::GetModelResponse* response) {
  return Answer(context, "GetModel", [this, request, response](std::string* label) -> absl::Status {
    *label = std::string(Metrics::kUnknownModel);
    const std::shared_ptr<const ModelRegistry> registry = serving_.models.Now();
    ASSIGN_OR_RETURN(const LoadedModel* model, registry->Find(request->model()));
    *label = model->segmenter->info().name;
    FillModel(*model, response->mutable_model());
    return absl::OkStatus();
  });
}

}  // namespace candor
