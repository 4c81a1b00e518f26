// SPDX-License-Identifier: Apache-2.0
//
// The life of a Segment request.
#include "server/segment_call.h"

#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/error_details.h"
#include "server/grpc_status.h"

namespace candor {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

double MillisecondsSince(SteadyTime start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

// gRPC gives the deadline on the wall clock, which may jump; far ones (gRPC's "none" too) become none.
SteadyTime SteadyDeadline(system_clock::time_point deadline) {
  const system_clock::time_point now = system_clock::now();
  if (deadline > now + std::chrono::hours(24 * 365)) return SteadyTime::max();
  return steady_clock::now() + (deadline - now);
}

}  // namespace

SegmentCall::SegmentCall(const ServingContext& serving, grpc::CallbackServerContext* context,
                         const v1::SegmentRequest* request, v1::SegmentResponse* response, RequestIdentity identity)
    : serving_(serving),
      request_(*request),
      response_(*response),
      identity_(std::move(identity)),
      arrival_(steady_clock::now()),
      deadline_(SteadyDeadline(context->deadline())) {}

grpc::ServerUnaryReactor* SegmentCall::Start(const ServingContext& serving, grpc::CallbackServerContext* context,
                                             const v1::SegmentRequest* request, v1::SegmentResponse* response,
                                             RequestIdentity identity) {
  auto* call = new SegmentCall(serving, context, request, response, std::move(identity));
  serving.metrics.RequestStarted();
  call->Run([call] { return call->Check(); });
  return call;  // alive even if it has ended: OnDone comes only after gRPC has the reactor
}

template <typename Step>
void SegmentCall::Run(Step step) noexcept {
  absl::Status status;
  try {
    status = step();
  } catch (const std::bad_alloc&) {
    status = absl::ResourceExhaustedError("out of memory");
  } catch (const std::exception& e) {
    status = absl::InternalError(absl::StrCat("unexpected failure: ", e.what()));
  }
  if (!status.ok()) End(status);  // after OK another thread owns the call: nothing here may be touched
}

absl::Status SegmentCall::StillWanted() const {
  if (serving_.admission.abandoned()) {
    return WithReason(absl::UnavailableError("the server is shutting down, try another"), kShuttingDown);
  }
  if (steady_clock::now() >= deadline_) {
    return absl::DeadlineExceededError("the deadline passed before the answer was ready");
  }
  if (is_cancelled_.load(std::memory_order_relaxed)) return absl::CancelledError("the caller gave up");
  return absl::OkStatus();
}

absl::Status SegmentCall::Check() {
  const absl::StatusOr<const LoadedModel*> model = serving_.models.Find(request_.model());
  if (model.ok()) model_ = *model;  // before a refusal, so that it is counted under the model's name
  RETURN_IF_ERROR(serving_.admission.Enter());
  is_admitted_ = true;
  RETURN_IF_ERROR(model.status());
  ASSIGN_OR_RETURN(plan_, PlanSegment(request_, model_->segmenter->info(), serving_.uncertainty_threshold));
  handed_over_ = steady_clock::now();
  serving_.workers.Submit([this] { Run([this] { return Decode(); }); });
  return absl::OkStatus();
}

absl::Status SegmentCall::Decode() {
  const SteadyTime start = steady_clock::now();
  queue_ms_ += MillisecondsSince(handed_over_);
  RETURN_IF_ERROR(StillWanted());
  InferenceJob job;
  absl::StatusOr<Image> image = DecodeRequestImage(request_.image(), serving_.decode_limits);
  if (!image.ok() && request_.image().has_encoded() && serving_.refused_pictures != nullptr) {
    serving_.refused_pictures->Keep(identity_.request_id, request_.image().encoded());
  }
  ASSIGN_OR_RETURN(job.image, std::move(image));
  decode_ms_ = MillisecondsSince(start);
  width_ = job.image.width;
  height_ = job.image.height;
  RETURN_IF_ERROR(CheckPlanFits(plan_, width_, height_));
  if (plan_.needs_picture()) picture_ = job.image;
  job.region = plan_.region;
  RETURN_IF_ERROR(StillWanted());
  job.segmenter = model_->segmenter.get();
  job.kinds = plan_.kinds;
  job.deadline = deadline_;
  job.cancelled = [this] { return GaveUp(); };
  return serving_.executor.Submit(std::move(job), [this](InferenceOutcome outcome) {
    handed_over_ = steady_clock::now();
    Run([this, &outcome] {
      auto shared = std::make_shared<InferenceOutcome>(std::move(outcome));
      serving_.workers.Submit([this, shared] { Run([this, shared] { return Encode(std::move(*shared)); }); });
      return absl::OkStatus();
    });
  });
}

absl::Status SegmentCall::Encode(InferenceOutcome outcome) {
  const SteadyTime start = steady_clock::now();
  queue_ms_ += outcome.queue_ms + MillisecondsSince(handed_over_);
  infer_ms_ = outcome.infer_ms;
  // The reason that the caller sees first: a shutdown, before the cancellation that it caused.
  if (absl::IsCancelled(outcome.result.status())) RETURN_IF_ERROR(StillWanted());
  RETURN_IF_ERROR(outcome.result.status());
  RETURN_IF_ERROR(StillWanted());
  const std::string& name = model_->segmenter->info().name;
  serving_.metrics.PictureSegmented(name, *outcome.result, plan_.has_server_threshold);
  const std::optional<PictureVerdict> verdict = VerdictOn(plan_, model_->segmenter->info(), *outcome.result);
  if (verdict.has_value()) serving_.metrics.VerdictGiven(name, *verdict);
  FillSegmentResponse(plan_, model_->segmenter->info(), &picture_, &*outcome.result, &response_);
  response_.set_request_id(identity_.request_id);
  encode_ms_ = MillisecondsSince(start);
  v1::Timing& timing = *response_.mutable_timing();
  timing.set_decode_ms(static_cast<float>(decode_ms_));
  timing.set_queue_ms(static_cast<float>(queue_ms_));
  timing.set_infer_ms(static_cast<float>(infer_ms_));
  timing.set_encode_ms(static_cast<float>(encode_ms_));
  serving_.metrics.StageFinished(name, Stage::kDecode, decode_ms_ / 1000);
  serving_.metrics.StageFinished(name, Stage::kQueue, queue_ms_ / 1000);
  serving_.metrics.StageFinished(name, Stage::kInfer, infer_ms_ / 1000);
  serving_.metrics.StageFinished(name, Stage::kEncode, encode_ms_ / 1000);
  End(absl::OkStatus());
  return absl::OkStatus();
}

void SegmentCall::Record(const absl::Status& status) {
  const double total_ms = MillisecondsSince(arrival_);
  const std::string model(model_ == nullptr ? Metrics::kUnknownModel
                                            : absl::string_view(model_->segmenter->info().name));
  serving_.metrics.RequestFinished("Segment", model, status.code(), total_ms / 1000);
  LogInfo("request", {{"request_id", identity_.request_id},
                      {"trace_id", identity_.trace.trace_id},
                      {"parent_id", identity_.trace.parent_id},
                      {"method", "Segment"},
                      {"model", model},
                      {"code", absl::StatusCodeToString(status.code())},
                      {"error", status.message()},
                      {"width", width_},
                      {"height", height_},
                      {"total_ms", total_ms},
                      {"decode_ms", decode_ms_},
                      {"queue_ms", queue_ms_},
                      {"infer_ms", infer_ms_},
                      {"encode_ms", encode_ms_}});
}

void SegmentCall::End(const absl::Status& status) noexcept {
  try {
    Record(status);
  } catch (const std::exception&) {
    // Out of memory for a log line: the caller still gets the answer.
  }
  if (is_admitted_) serving_.admission.Answered();
  Finish(ToGrpcStatus(status, identity_.request_id));
}

void SegmentCall::OnCancel() {
  is_cancelled_.store(true, std::memory_order_relaxed);
  serving_.metrics.RequestAbandoned();
}

void SegmentCall::OnDone() {
  Admission* const admission = is_admitted_ ? &serving_.admission : nullptr;
  delete this;
  if (admission != nullptr) admission->Leave();
}

}  // namespace candor
