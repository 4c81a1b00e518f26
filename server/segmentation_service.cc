// SPDX-License-Identifier: Apache-2.0
//
// The methods of candor.v1.Segmentation.
#include "server/segmentation_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/error_details.h"
#include "server/model_codec.h"
#include "server/stream/stream_call.h"

namespace candor {

grpc::ServerUnaryReactor* SegmentationService::Segment(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  absl::Status denied = gate_->Authorize(*context, Role::kInfer);
  auto incoming = std::make_unique<Incoming<v1::SegmentRequest>>();
  incoming->bytes = *request;
  if (denied.ok() && !Parse(incoming.get())) {
    denied = absl::InvalidArgumentError("the request is no candor.v1.SegmentRequest");
  }
  if (!denied.ok()) return gate_->Answer(context, {"Segment"}, [&denied](std::string* /*model*/) { return denied; });
  return SegmentCall::Start(serving_, context, std::move(incoming), response, gate_->Identify(*context));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* SegmentationService::SegmentStream(
    grpc::CallbackServerContext* context) {
  RequestIdentity identity = gate_->IdentifyStream(context);
  absl::Status status = gate_->Authorize(*context, Role::kInfer);
  if (status.ok()) status = serving_.admission.CheckOpen();
  if (const int open = open_streams_.fetch_add(1); status.ok() && open >= serving_.max_streams) {
    status = WithReason(
        absl::ResourceExhaustedError(absl::StrCat("too many streams are open: max_streams is ", serving_.max_streams)),
        kTooManyStreams);
  }
  return new StreamCall(serving_, context, std::move(identity), status, [this] { open_streams_.fetch_sub(1); });
}

grpc::ServerUnaryReactor* SegmentationService::ListModels(grpc::CallbackServerContext* context,
                                                          const v1::ListModelsRequest* /*request*/,
                                                          v1::ListModelsResponse* response) {
  return gate_->Answer(context, {"ListModels"}, [this, response](std::string* /*model*/) {
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
  return gate_->Answer(context, {"GetModel"}, [this, request, response](std::string* label) -> absl::Status {
    *label = std::string(Metrics::kUnknownModel);
    const std::shared_ptr<const ModelRegistry> registry = serving_.models.Now();
    ASSIGN_OR_RETURN(const LoadedModel* model, registry->Find(request->model()));
    *label = model->segmenter->info().name;
    FillModel(*model, response->mutable_model());
    return absl::OkStatus();
  });
}

}  // namespace candor
