// SPDX-License-Identifier: Apache-2.0
#include "server/kserve/infer_stream.h"

#include <utility>

#include "server/grpc_status.h"
#include "server/kserve/triton_status.h"
#include "server/segment_call.h"

namespace candor {
namespace {

bool WantsGrpcErrors(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find("triton_grpc_error");
  return found != context.client_metadata().end() && found->second == "true";
}

}  // namespace

InferStream::InferStream(const InferContext& infer, grpc::CallbackServerContext* context, RequestIdentity identity,
                         const absl::Status& status, std::function<void()> closed)
    : StreamReactor(std::move(identity), std::move(closed)),
      infer_(infer),
      deadline_(DeadlineOf(*context)),
      end_call_(EndOf(context)),
      errors_end_the_stream_(WantsGrpcErrors(*context)) {
  Change([&](Actions* /*actions*/) {
    mu_.AssertHeld();
    if (!status.ok()) FailWith(ToTritonStatus(status));
  });
}

std::unique_ptr<InferItem> InferStream::MakeItem() {
  auto item = std::make_unique<InferItem>();
  item->request.Swap(&incoming_);
  item->run = InferRun::Make(infer_, TaskCaller{"ModelStreamInfer", identity_, deadline_, end_call_}, item->request,
                             item->response.mutable_infer_response());
  return item;
}

void InferStream::OnReadDone(bool ok) {
  std::unique_ptr<InferItem> item = ok ? MakeItem() : nullptr;
  Change([&](Actions* actions) {
    mu_.AssertHeld();
    is_reading_ = false;
    if (item == nullptr) {
      has_all_requests_ = true;
    } else if (!is_over_ && !has_all_requests_) {  // else draining: too late
      ++running_;
      actions->start = item.get();
      items_.push_back(std::move(item));
    }
  });
}

void InferStream::OnWriteDone(bool ok) {
  Change([&](Actions* actions) {
    mu_.AssertHeld();
    is_writing_ = false;
    actions->written = std::move(items_.front());
    items_.pop_front();
    if (!ok) FailWith(absl::CancelledError("the caller gave up"));
  });
}

void InferStream::CancelWork() {
  for (const std::unique_ptr<InferItem>& item : items_) {
    if (!item->is_done) item->run->Cancel();
  }
}

void InferStream::ItemDone(InferItem* item, const absl::Status& status) {
  Change([&](Actions* /*actions*/) {
    mu_.AssertHeld();
    --running_;
    item->is_done = true;
    item->status = status;
    inference::ModelInferResponse* response = item->response.mutable_infer_response();
    if (!status.ok()) {
      item->response.set_error_message(ToGrpcStatus(status, identity_.request_id).error_message());
      response->set_model_name(item->request.model_name());
      response->set_id(item->request.id());  // by which clients find whose error it is
    }
    (*response->mutable_parameters())["triton_final_response"].set_bool_param(true);
    if (absl::IsUnavailable(status) && !infer_.serving.admission.CheckOpen().ok()) {
      has_all_requests_ = true;  // draining: what has come is answered, then the stream ends
      EndWith(status);
    }
  });
}

const inference::ModelStreamInferResponse* InferStream::NextAnswer() {
  if (items_.empty() || !items_.front()->is_done) return nullptr;
  const InferItem& first = *items_.front();
  if (!errors_end_the_stream_ || first.status.ok()) return &first.response;
  FailWith(first.status);
  return nullptr;
}

void InferStream::StartWork(InferItem* item) {
  item->run->Start([this, item](const absl::Status& status) { ItemDone(item, status); });
}

}  // namespace candor
