// SPDX-License-Identifier: Apache-2.0
//
// The life of a picture.
#include "server/segment_task.h"

#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/error_details.h"
#include "server/segmentation_codec.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

double MillisecondsSince(SteadyTime start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

}  // namespace

SegmentTask::SegmentTask(const ServingContext& serving, TaskCaller caller, const v1::SegmentRequest& request,
                         v1::SegmentResponse* response)
    : serving_(serving),
      caller_(std::move(caller)),
      request_(request),
      response_(*response),
      arrival_(steady_clock::now()) {}

SegmentTask::~SegmentTask() {
  models_.reset();
  if (is_admitted_) serving_.admission.Leave();
}

void SegmentTask::Start(Done done) {
  done_ = std::move(done);
  serving_.metrics.RequestStarted();
  Run([this] { return Check(); });
}

void SegmentTask::Cancel() {
  if (!is_cancelled_.exchange(true, std::memory_order_relaxed)) serving_.metrics.RequestAbandoned();
}

template <typename Step>
void SegmentTask::Run(Step step) noexcept {
  absl::Status status;
  try {
    status = step();
  } catch (const std::bad_alloc&) {
    status = absl::ResourceExhaustedError("out of memory");
  } catch (const std::exception& e) {
    status = absl::InternalError(absl::StrCat("unexpected failure: ", e.what()));
  }
  if (!status.ok()) End(std::move(status));  // after OK another thread owns the task: nothing here may be touched
}

absl::Status SegmentTask::StillWanted() const {
  if (serving_.admission.abandoned()) {
    return WithReason(absl::UnavailableError("the server is shutting down, try another"), kShuttingDown);
  }
  if (steady_clock::now() >= caller_.deadline) {
    return absl::DeadlineExceededError("the deadline passed before the answer was ready");
  }
  if (is_cancelled_.load(std::memory_order_relaxed)) return absl::CancelledError("the caller gave up");
  return absl::OkStatus();
}

absl::Status SegmentTask::Check() {
  models_ = serving_.models.Now();
  const absl::StatusOr<const LoadedModel*> model = models_->Find(request_.model());
  if (model.ok()) {  // before a refusal, so that it is counted under the model's name
    model_ = *model;
    serving_.statistics.PictureStarted(statistics_entry());
  }
  RETURN_IF_ERROR(serving_.admission.Enter());
  is_admitted_ = true;
  RETURN_IF_ERROR(model.status());
  ASSIGN_OR_RETURN(plan_, PlanSegment(request_, model_info(), serving_.uncertainty_threshold));
  RETURN_IF_ERROR(serving_.scheduler.CheckInTime(*model_->segmenter, plan_.priority, caller_.deadline));
  handed_over_ = steady_clock::now();
  serving_.workers.Submit([this] { Run([this] { return Decode(); }); });
  return absl::OkStatus();
}

absl::Status SegmentTask::Decode() {
  const SteadyTime start = steady_clock::now();
  queue_ms_ += MillisecondsSince(handed_over_);
  RETURN_IF_ERROR(StillWanted());
  InferenceJob job;
  absl::StatusOr<Image> image = DecodeRequestImage(request_.image(), serving_.decode_limits);
  if (!image.ok() && request_.image().has_encoded() && serving_.refused_pictures != nullptr) {
    serving_.refused_pictures->Keep(caller_.identity.request_id, request_.image().encoded());
  }
  ASSIGN_OR_RETURN(job.image, std::move(image));
  decode_ms_ = MillisecondsSince(start);
  width_ = job.image.width;
  height_ = job.image.height;
  RETURN_IF_ERROR(CheckPlanFits(plan_, width_, height_));
  RETURN_IF_ERROR(StillWanted());
  job.region = plan_.region;
  job.keep_image = plan_.overlay.has_value();
  job.segmenter = model_->segmenter;
  job.batching = model_->batching;
  job.kinds = plan_.kinds;
  job.priority = plan_.priority;
  job.deadline = caller_.deadline;
  job.anytime = plan_.anytime;
  job.cancelled = [this] { return GaveUp(); };
  return serving_.scheduler.Submit(std::move(job), [this](InferenceOutcome outcome) {
    handed_over_ = steady_clock::now();
    Run([this, &outcome] {
      auto shared = std::make_shared<InferenceOutcome>(std::move(outcome));
      serving_.workers.Submit([this, shared] { Run([this, shared] { return Encode(std::move(*shared)); }); });
      return absl::OkStatus();
    });
  });
}

absl::Status SegmentTask::Encode(InferenceOutcome outcome) {
  const SteadyTime start = steady_clock::now();
  queue_ms_ += outcome.queue_ms + MillisecondsSince(handed_over_);
  infer_ms_ = outcome.infer_ms;
  batch_size_ = outcome.batch_size;
  // The reason that the caller sees first: a shutdown, before the cancellation that it caused.
  if (absl::IsCancelled(outcome.result.status())) RETURN_IF_ERROR(StillWanted());
  RETURN_IF_ERROR(outcome.result.status());
  RETURN_IF_ERROR(StillWanted());
  const std::string& name = model_info().name;
  serving_.metrics.PictureSegmented(name, *outcome.result, plan_.has_server_threshold);
  serving_.metrics.BatchRan(name, batch_size_);
  const std::optional<PictureVerdict> verdict = VerdictOn(plan_, model_info(), *outcome.result);
  if (verdict.has_value()) serving_.metrics.VerdictGiven(name, *verdict);
  FillSegmentResponse(plan_, model_info(), &outcome.image, &*outcome.result, &response_);
  response_.set_request_id(caller_.identity.request_id);
  encode_ms_ = MillisecondsSince(start);
  FillTiming(response_.mutable_timing());
  serving_.metrics.StageFinished(name, Stage::kDecode, decode_ms_ / 1000);
  serving_.metrics.StageFinished(name, Stage::kQueue, queue_ms_ / 1000);
  serving_.metrics.StageFinished(name, Stage::kInfer, infer_ms_ / 1000);
  serving_.metrics.StageFinished(name, Stage::kEncode, encode_ms_ / 1000);
  End(absl::OkStatus());
  return absl::OkStatus();
}

void SegmentTask::FillTiming(v1::Timing* timing) const {
  timing->set_decode_ms(static_cast<float>(decode_ms_));
  timing->set_queue_ms(static_cast<float>(queue_ms_));
  timing->set_infer_ms(static_cast<float>(infer_ms_));
  timing->set_encode_ms(static_cast<float>(encode_ms_));
  timing->set_batch_size(batch_size_);
}

void SegmentTask::Record(const absl::Status& status) {
  const double total_ms = MillisecondsSince(arrival_);
  const std::string model(model_ == nullptr ? Metrics::kUnknownModel : absl::string_view(model_info().name));
  serving_.metrics.RequestFinished(caller_.method, model, status.code(), total_ms / 1000);
  if (model_ != nullptr) {
    serving_.statistics.PictureEnded(statistics_entry(), status.code(),
                                     {total_ms, queue_ms_, decode_ms_, infer_ms_, encode_ms_, batch_size_});
  }
  LogInfo("request", {{"request_id", caller_.identity.request_id},
                      {"trace_id", caller_.identity.trace.trace_id},
                      {"parent_id", caller_.identity.trace.parent_id},
                      {"method", caller_.method},
                      {"model", model},
                      {"code", absl::StatusCodeToString(status.code())},
                      {"error", status.message()},
                      {"width", width_},
                      {"height", height_},
                      {"total_ms", total_ms},
                      {"decode_ms", decode_ms_},
                      {"queue_ms", queue_ms_},
                      {"infer_ms", infer_ms_},
                      {"encode_ms", encode_ms_},
                      {"batch_size", batch_size_}});
}

void SegmentTask::End(absl::Status status) noexcept {
  try {
    Record(status);
  } catch (const std::exception&) {
    // Out of memory for a log line: the caller still gets the answer.
  }
  if (is_admitted_) serving_.admission.Answered();
  const Done done = std::move(done_);  // the task may be gone before it returns
  done(status);
}

}  // namespace candor
