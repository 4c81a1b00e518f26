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

// From its arrival until its reply is written.
struct InferStream::Item {
  inference::ModelInferRequest request;
  inference::ModelStreamInferResponse response;
  std::shared_ptr<InferRun> run;  // after the messages it borrows
  bool is_done = false;
  absl::Status status;
};

InferStream::InferStream(const InferContext& infer, grpc::CallbackServerContext* context, RequestIdentity identity,
                         const absl::Status& status, std::function<void()> closed)
    : infer_(infer),
      identity_(std::move(identity)),
      closed_(std::move(closed)),
      deadline_(DeadlineOf(*context)),
      errors_end_the_stream_(WantsGrpcErrors(*context)) {
  Actions actions;
  {
    absl::MutexLock lock(&mu_);
    if (!status.ok()) FailWith(ToTritonStatus(status));
    Settle(&actions);
  }
  Act(actions);
}

InferStream::~InferStream() = default;

std::unique_ptr<InferStream::Item> InferStream::MakeItem() {
  auto item = std::make_unique<Item>();
  item->request.Swap(&incoming_);
  item->run = InferRun::Make(infer_, TaskCaller{"ModelStreamInfer", identity_, deadline_}, item->request,
                             item->response.mutable_infer_response());
  return item;
}

void InferStream::OnReadDone(bool ok) {
  std::unique_ptr<Item> item = ok ? MakeItem() : nullptr;
  Actions actions;
  {
    absl::MutexLock lock(&mu_);
    is_reading_ = false;
    if (item == nullptr) {
      has_all_requests_ = true;
    } else if (!is_over_ && !has_all_requests_) {  // else draining: too late
      ++running_;
      actions.start = item.get();
      items_.push_back(std::move(item));
    }
    Settle(&actions);
  }
  Act(actions);
}

void InferStream::OnWriteDone(bool ok) {
  Actions actions;
  std::unique_ptr<Item> written;  // goes outside the lock: its tasks leave the admission
  {
    absl::MutexLock lock(&mu_);
    is_writing_ = false;
    written = std::move(items_.front());
    items_.pop_front();
    if (!ok) FailWith(absl::CancelledError("the caller gave up"));
    Settle(&actions);
  }
  written.reset();
  Act(actions);
}

void InferStream::OnCancel() {
  Actions actions;
  {
    absl::MutexLock lock(&mu_);
    FailWith(absl::CancelledError("the caller gave up"));
    Settle(&actions);
  }
  Act(actions);
}

void InferStream::FailWith(const absl::Status& status) {
  if (is_over_) return;
  is_over_ = true;
  final_status_ = ToGrpcStatus(status, identity_.request_id);
  for (const std::unique_ptr<Item>& item : items_) {
    if (!item->is_done) item->run->Cancel();
  }
}

void InferStream::ItemDone(Item* item, const absl::Status& status) {
  Actions actions;
  {
    absl::MutexLock lock(&mu_);
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
      final_status_ = ToGrpcStatus(status, identity_.request_id);
    }
    Settle(&actions);
  }
  Act(actions);
}

void InferStream::Settle(Actions* actions) {
  if (is_finished_) return;
  if (!is_over_ && !is_writing_ && !items_.empty() && items_.front()->is_done) {
    Item* first = items_.front().get();
    if (errors_end_the_stream_ && !first->status.ok()) {
      FailWith(first->status);
    } else {
      is_writing_ = true;
      actions->write = &first->response;
    }
  }
  if (!is_over_ && !is_reading_ && !has_all_requests_ && items_.size() < kMostUnanswered) {
    is_reading_ = true;
    actions->read = true;
  }
  const bool is_complete = has_all_requests_ && items_.empty();
  if ((is_over_ || is_complete) && running_ == 0 && !is_writing_) {
    is_finished_ = true;
    actions->finish = final_status_;
  }
}

void InferStream::Act(const Actions& actions) {
  // A start may end at once, and with it the stream: it comes last. While it has not ended the stream cannot finish.
  if (actions.write != nullptr) StartWrite(actions.write);
  if (actions.read) StartRead(&incoming_);
  if (actions.finish.has_value()) {
    closed_();  // before the end: a caller who has seen it finds the place free
    Finish(*actions.finish);
  }
  if (actions.start != nullptr) {
    Item* item = actions.start;
    item->run->Start([this, item](const absl::Status& status) { ItemDone(item, status); });
  }
}

}  // namespace candor
