// SPDX-License-Identifier: Apache-2.0
//
// The life of a picture.
#include "server/segment_task.h"

#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
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

constexpr double kEscalationReserveMs = 5;

absl::Status WithContext(absl::string_view prefix, const absl::Status& status) {
  absl::Status result(status.code(), absl::StrCat(prefix, status.message()));
  status.ForEachPayload(
      [&result](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

}  // namespace

SegmentTask::SegmentTask(const ServingContext& serving, TaskCaller caller, const v1::SegmentRequest& request,
                         v1::SegmentResponse* response, PictureBytes picture_bytes,
                         std::vector<grpc::Slice>* large_fields)
    : serving_(serving),
      caller_(std::move(caller)),
      request_(request),
      picture_bytes_(std::move(picture_bytes)),
      response_(*response),
      large_fields_(large_fields),
      arrival_(steady_clock::now()) {}

SegmentTask::~SegmentTask() {
  models_.reset();
  if (is_admitted_) serving_.admission.Leave(answer_);
}

void SegmentTask::Start(Done done, Preliminary preliminary) {
  done_ = std::move(done);
  preliminary_ = std::move(preliminary);
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
  if (!status.ok()) End(status);  // after OK another thread owns the task: nothing here may be touched
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
    first_.model = *model;
    serving_.statistics.PictureStarted(statistics_entry());
  }
  RETURN_IF_ERROR(serving_.admission.Enter());
  is_admitted_ = true;
  RETURN_IF_ERROR(model.status());
  ASSIGN_OR_RETURN(first_.plan, PlanSegment(request_, first_.info(), serving_.uncertainty_threshold));
  if (request_.has_escalation()) RETURN_IF_ERROR(CheckEscalation());
  ASSIGN_OR_RETURN(reservation_, serving_.scheduler.Reserve(*first_.model->segmenter, first_.plan.priority,
                                                            caller_.deadline, first_.plan.anytime));
  if (serving_.shadow != nullptr && !first_.plan.region.has_value()) {
    is_shadowed_ = serving_.shadow->Wants(*models_, *first_.model);
    KindRequest& compared = first_.plan.kinds[0];
    compared.want_map |= is_shadowed_;
    compared.as_halves &= !is_shadowed_;
  }
  handed_over_ = steady_clock::now();
  const auto decode = [this] { Run([this] { return Decode(); }); };
  if (!serving_.scheduler.RunIfIdle(decode)) serving_.workers.Submit(decode);
  return absl::OkStatus();
}

absl::Status SegmentTask::CheckEscalation() {
  ASSIGN_OR_RETURN(escalation_, PlanEscalation(request_, first_.info()));
  const std::string& wanted = request_.escalation().model();
  const absl::StatusOr<const LoadedModel*> model = models_->Find(wanted.empty() ? kTeacherAlias : wanted);
  if (!model.ok()) return WithContext("escalation.", model.status());
  if (*model == first_.model) {
    return absl::InvalidArgumentError(
        absl::StrCat("escalation.model: must be another model than \"", first_.info().name, "\", which answers first"));
  }
  second_.model = *model;
  ASSIGN_OR_RETURN(second_.plan, PlanSegment(request_, second_.info(), serving_.uncertainty_threshold));
  second_.plan.anytime = PredictionCount(second_.info().spec) > 1;
  return absl::OkStatus();
}

absl::Status SegmentTask::Decode() {
  const SteadyTime start = steady_clock::now();
  queue_ms_ += MillisecondsSince(handed_over_);
  RETURN_IF_ERROR(StillWanted());
  absl::StatusOr<Picture> picture = DecodeRequestImage(request_.image(), picture_bytes_, serving_.decode_limits);
  if (!picture.ok() && request_.image().has_encoded() && serving_.refused_pictures != nullptr) {
    serving_.refused_pictures->Keep(caller_.identity.request_id, EncodedFile(request_.image(), picture_bytes_));
  }
  RETURN_IF_ERROR(picture.status());
  decode_ms_ = MillisecondsSince(start);
  width_ = picture->width();
  height_ = picture->height();
  RETURN_IF_ERROR(CheckPlanFits(first_.plan, width_, height_));
  RETURN_IF_ERROR(StillWanted());
  return Infer(first_, *std::move(picture), caller_.deadline, &SegmentTask::Encode);
}

absl::Status SegmentTask::Infer(const Turn& turn, Picture picture, SteadyTime deadline, NextStep next) {
  InferenceJob job;
  job.segmenter = turn.model->segmenter;
  job.batching = turn.model->batching;
  job.picture = std::move(picture);
  job.kinds = turn.plan.kinds;
  job.region = turn.plan.region;
  job.priority = turn.plan.priority;
  job.deadline = deadline;
  job.anytime = turn.plan.anytime;
  job.keep_picture = turn.plan.overlay.has_value() || ((escalation_.has_value() || is_shadowed_) && &turn == &first_);
  job.cancelled = [this] { return GaveUp(); };
  reservation_.Release();
  return serving_.scheduler.Submit(std::move(job), [this, next](InferenceOutcome outcome) {
    handed_over_ = steady_clock::now();
    if (AnswersAtOnce()) {
      Run([this, next, &outcome] { return (this->*next)(std::move(outcome)); });
      return;
    }
    Run([this, next, &outcome] {
      auto shared = std::make_shared<InferenceOutcome>(std::move(outcome));
      serving_.workers.Submit(
          [this, next, shared] { Run([this, next, &shared] { return (this->*next)(std::move(*shared)); }); });
      return absl::OkStatus();
    });
  });
}

// On a thread of the scheduler's. A change of threads costs more than such an answer, and while nothing waits the
// thread has nothing better to do.
bool SegmentTask::AnswersAtOnce() const {
  constexpr int64_t kFewPixels = int64_t{1} << 18;  // sending blocks for long only beyond the socket's buffers
  return IsCheapToWrite(first_.plan) && !escalation_.has_value() && !is_shadowed_ &&
         int64_t{width_} * height_ <= kFewPixels && serving_.scheduler.queued() == 0;
}

void SegmentTask::CountWait(const InferenceOutcome& outcome) {
  queue_ms_ += outcome.queue_ms + MillisecondsSince(handed_over_);
  infer_ms_ += outcome.infer_ms;
  batch_size_ = outcome.batch_size;
}

void SegmentTask::Answer(const Turn& turn, InferenceOutcome* outcome) {
  const SteadyTime start = steady_clock::now();
  const std::string& name = turn.info().name;
  serving_.metrics.PictureSegmented(name, *outcome->result, turn.plan.has_server_threshold);
  serving_.metrics.BatchRan(name, outcome->batch_size);
  const std::optional<PictureVerdict> verdict = VerdictOn(turn.plan, turn.info(), *outcome->result);
  if (verdict.has_value()) serving_.metrics.VerdictGiven(name, *verdict);
  response_.Clear();
  if (large_fields_ != nullptr) large_fields_->clear();
  FillSegmentResponse(turn.plan, turn.info(), &outcome->picture, &*outcome->result, &response_, large_fields_);
  response_.set_request_id(caller_.identity.request_id);
  const double encode_ms = MillisecondsSince(start);
  encode_ms_ += encode_ms;
  FillTiming(response_.mutable_timing());
  serving_.metrics.StageFinished(name, Stage::kInfer, outcome->infer_ms / 1000);
  serving_.metrics.StageFinished(name, Stage::kEncode, encode_ms / 1000);
}

absl::Status SegmentTask::Encode(InferenceOutcome outcome) {
  CountWait(outcome);
  // The reason that the caller sees first: a shutdown, before the cancellation that it caused.
  if (absl::IsCancelled(outcome.result.status())) RETURN_IF_ERROR(StillWanted());
  RETURN_IF_ERROR(outcome.result.status());
  RETURN_IF_ERROR(StillWanted());
  RETURN_IF_ERROR(CheckBytes());  // before anything is made of the answer
  const bool is_unsure = escalation_.has_value() && escalation_->IsNeeded(first_.plan, first_.info(), *outcome.result);
  if (is_shadowed_) {
    Image shown = outcome.picture.ToImage();
    RETURN_IF_ERROR(CheckBytes());
    is_shadowed_ = false;
    serving_.shadow->Check(*models_, *first_.model, std::move(shown), *outcome.result);
  }
  Answer(first_, &outcome);
  serving_.metrics.StageFinished(first_.info().name, Stage::kDecode, decode_ms_ / 1000);
  serving_.metrics.StageFinished(first_.info().name, Stage::kQueue, queue_ms_ / 1000);
  if (is_unsure) return Escalate(std::move(outcome.picture));
  if (escalation_.has_value()) EndEscalation(v1::NOT_NEEDED);
  return EndWell();
}

absl::Status SegmentTask::Escalate(Picture picture) {
  // Time to write the second answer, or to send the first if the second comes too late.
  const auto reserve = std::chrono::duration_cast<SteadyDuration>(
      std::chrono::duration<double, std::milli>(kEscalationReserveMs + 2 * encode_ms_));
  const bool has_deadline = caller_.deadline != SteadyTime::max();
  const SteadyTime deadline = has_deadline ? caller_.deadline - reserve : caller_.deadline;
  absl::Status status =
      serving_.scheduler.Reserve(*second_.model->segmenter, second_.plan.priority, deadline, second_.plan.anytime)
          .status();
  if (status.ok() && preliminary_) preliminary_(response_);
  if (status.ok()) status = Infer(second_, std::move(picture), deadline, &SegmentTask::EncodeSecond);
  if (status.ok()) return status;
  EndEscalation(v1::NO_TIME);
  return EndWell();
}

absl::Status SegmentTask::EncodeSecond(InferenceOutcome outcome) {
  CountWait(outcome);
  const absl::Status& status = outcome.result.status();
  if (absl::IsCancelled(status)) RETURN_IF_ERROR(StillWanted());
  if (status.ok()) Answer(second_, &outcome);
  EndEscalation(status.ok() ? v1::ESCALATED : absl::IsDeadlineExceeded(status) ? v1::NO_TIME : v1::SECOND_FAILED);
  return EndWell();
}

void SegmentTask::EndEscalation(v1::EscalationOutcome outcome) {
  response_.set_escalation(outcome);
  serving_.metrics.EscalationEnded(first_.info().name, absl::AsciiStrToLower(v1::EscalationOutcome_Name(outcome)));
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
  const std::string model(first_.model == nullptr ? Metrics::kUnknownModel : absl::string_view(first_.info().name));
  serving_.metrics.RequestFinished(caller_.method, model, status.code(), total_ms / 1000);
  if (first_.model != nullptr) {
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
                      {"batch_size", batch_size_},
                      {"escalation", v1::EscalationOutcome_Name(response_.escalation())}});
}

absl::Status SegmentTask::CheckBytes() const {
  return picture_bytes_.check ? picture_bytes_.check() : absl::OkStatus();
}

absl::Status SegmentTask::EndWell() {
  RETURN_IF_ERROR(CheckBytes());
  End(absl::OkStatus());
  return absl::OkStatus();
}

void SegmentTask::End(const absl::Status& status) noexcept {
  try {
    Record(status);
  } catch (const std::exception&) {
    // Out of memory for a log line: the caller still gets the answer.
  }
  if (is_shadowed_) serving_.shadow->Skip();
  reservation_.Release();
  if (is_admitted_) answer_ = serving_.admission.Answered(caller_.end_call);
  const Done done = std::move(done_);  // the task may be gone before it returns
  done(status);
}

}  // namespace candor
