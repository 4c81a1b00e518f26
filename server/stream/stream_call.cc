// SPDX-License-Identifier: Apache-2.0
//
// The life of a stream.
#include "server/stream/stream_call.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/error_details.h"
#include "server/grpc_status.h"
#include "server/segment_call.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

constexpr int kEveryFrameUnanswered = 4;
constexpr int kLatestFrameUnanswered = 64;
constexpr int kMostUnanswered = 1024;
constexpr int kLongestFrameTimeoutMs = 3600000;

void FillError(const absl::Status& status, v1::FrameError* error) {
  error->set_code(static_cast<int>(status.code()));
  error->set_message(std::string(status.message()));
  error->set_reason(ReasonOf(status));
  error->set_retry_delay_ms(absl::ToInt64Milliseconds(RetryDelayOf(status).value_or(absl::ZeroDuration())));
}

absl::Status CheckIn(absl::string_view field, int value, int least, int most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be in [", least, ", ", most, "], got ", value));
}

}  // namespace

StreamCall::StreamCall(const ServingContext& serving, grpc::CallbackServerContext* context, RequestIdentity identity,
                       const absl::Status& status, std::function<void()> closed)
    : StreamReactor(std::move(identity), std::move(closed)),
      serving_(serving),
      deadline_(DeadlineOf(*context)),
      end_call_(EndOf(context)),
      max_unanswered_(kEveryFrameUnanswered) {
  Change([&](Actions* /*actions*/) {
    mu_.AssertHeld();
    if (!status.ok()) FailWith(status);
  });
}

absl::Status StreamCall::TakeOptions(const v1::StreamOptions& options) {
  if (has_options_ || next_index_ > 0) {
    return absl::InvalidArgumentError("options: must be the first message of the stream, and come once");
  }
  has_options_ = true;
  if (!v1::FramePolicy_IsValid(options.policy())) {
    return absl::InvalidArgumentError(
        absl::StrCat("options.policy: must be a value of FramePolicy, got ", options.policy()));
  }
  if (options.policy() == v1::LATEST_FRAME) {
    queue_ = FrameQueue(FrameQueue::Policy::kLatestFrame);
    max_unanswered_ = kLatestFrameUnanswered;
  }
  if (options.has_max_unanswered()) {
    RETURN_IF_ERROR(CheckIn("options.max_unanswered", options.max_unanswered(), 1, kMostUnanswered));
    max_unanswered_ = options.max_unanswered();
  }
  if (options.has_frame_timeout_ms()) {
    RETURN_IF_ERROR(CheckIn("options.frame_timeout_ms", options.frame_timeout_ms(), 1, kLongestFrameTimeoutMs));
    frame_timeout_ = std::chrono::milliseconds(options.frame_timeout_ms());
  }
  return absl::OkStatus();
}

StreamCall::Frame* StreamCall::AddFrame(std::unique_ptr<Incoming<v1::StreamRequest>> request) {
  auto frame = std::make_unique<Frame>();
  frame->index = next_index_++;
  frame->arrival = steady_clock::now();
  frame->incoming = std::move(request);
  frame->response.set_index(frame->index);
  if (frame->request().has_frame()) *frame->response.mutable_frame() = frame->request().frame();
  statistics_.set_frames(next_index_);
  return frames_.emplace(frame->index, std::move(frame)).first->second.get();
}

SteadyTime StreamCall::FrameDeadline() const {
  return frame_timeout_.has_value() ? std::min(deadline_, steady_clock::now() + *frame_timeout_) : deadline_;
}

void StreamCall::OnReadDone(bool ok) {
  auto incoming = std::make_unique<Incoming<v1::StreamRequest>>();
  incoming->bytes.Swap(&incoming_);
  const bool is_whole = ok && Parse(incoming.get());
  Change([&](Actions* actions) {
    mu_.AssertHeld();
    is_reading_ = false;
    if (!ok) {
      has_all_requests_ = true;
    } else if (has_all_requests_) {
      // Draining: too late.
    } else if (!is_whole) {
      FailWith(absl::InvalidArgumentError("the message is no candor.v1.StreamRequest"));
    } else if (incoming->message.has_options()) {
      if (absl::Status status = TakeOptions(incoming->message.options()); !status.ok()) FailWith(status);
    } else if (incoming->message.has_frame()) {
      const Frame* frame = AddFrame(std::move(incoming));
      Follow(queue_.Arrive(frame->index, frame->request().frame().camera()), actions);
    } else {
      FailWith(absl::InvalidArgumentError("message: must have options or frame set"));
    }
  });
}

void StreamCall::OnWriteDone(bool ok) {
  Change([&](Actions* actions) {
    mu_.AssertHeld();
    is_writing_ = false;
    if (outgoing_.front()->response.has_preliminary()) --preliminary_;
    actions->written = std::move(outgoing_.front());
    outgoing_.pop_front();
    if (!ok) FailWith(absl::CancelledError("the caller gave up"));
  });
}

void StreamCall::CancelWork() {
  for (const auto& [index, frame] : frames_) {
    if (frame->task != nullptr) frame->task->Cancel();
  }
}

void StreamCall::CloseIfDraining(const absl::Status& status) {
  if (!absl::IsUnavailable(status) || serving_.admission.CheckOpen().ok()) return;
  has_all_requests_ = true;
  EndWith(status);
}

void StreamCall::Count(const Frame& frame, const absl::Status& status) {
  const double ms = std::chrono::duration<double, std::milli>(steady_clock::now() - frame.arrival).count();
  FrameOutcome outcome = FrameOutcome::kFailed;
  if (status.ok()) {
    outcome = FrameOutcome::kAnswered;
    statistics_.set_answered(statistics_.answered() + 1);
    latency_sum_ms_ += ms;
    statistics_.set_max_latency_ms(std::max(statistics_.max_latency_ms(), ms));
  } else if (absl::IsDeadlineExceeded(status)) {
    outcome = FrameOutcome::kLate;
    statistics_.set_late(statistics_.late() + 1);
  } else {
    if (absl::IsResourceExhausted(status)) outcome = FrameOutcome::kRefused;
    statistics_.set_failed(statistics_.failed() + 1);
  }
  serving_.metrics.FrameEnded(frame.request().frame().camera(), outcome);
}

void StreamCall::FrameDone(Frame* frame, const absl::Status& status) {
  Change([&](Actions* actions) {
    mu_.AssertHeld();
    --running_;
    if (!status.ok()) FillError(status, frame->response.mutable_error());
    Count(*frame, status);
    CloseIfDraining(status);
    Follow(queue_.Finish(frame->index, frame->request().frame().camera()), actions);
  });
}

void StreamCall::FramePreliminary(const Frame& frame, const v1::SegmentResponse& first) {
  // A frame of its own: the other one's response is the task's.
  auto early = std::make_unique<Frame>();
  early->response.set_index(frame.index);
  if (first.has_frame()) *early->response.mutable_frame() = first.frame();
  *early->response.mutable_preliminary() = first;
  early->large_fields = frame.large_fields;
  Change([&](Actions* /*actions*/) {
    mu_.AssertHeld();
    if (is_over_) return;
    outgoing_.push_back(std::move(early));
    ++preliminary_;
  });
}

void StreamCall::Follow(const FrameQueue::Step& step, Actions* actions) {
  for (const FrameQueue::Answer& answer : step.answers) {
    auto found = frames_.find(answer.index);
    FramePointer frame = std::move(found->second);
    frames_.erase(found);
    if (answer.superseded_by.has_value()) {
      frame->response.mutable_superseded()->set_by_index(*answer.superseded_by);
      statistics_.set_superseded(statistics_.superseded() + 1);
      serving_.metrics.FrameEnded(frame->request().frame().camera(), FrameOutcome::kSuperseded);
    }
    // Pictures are not kept while answers wait to be read.
    frame->incoming->message.Clear();
    frame->incoming->bytes.Clear();
    outgoing_.push_back(std::move(frame));
  }
  if (!step.start.has_value() || is_over_) return;
  Frame* frame = frames_.at(*step.start).get();
  TaskCaller caller{"SegmentStream", identity_, FrameDeadline(), end_call_};
  frame->task =
      std::make_unique<SegmentTask>(serving_, std::move(caller), frame->request(), frame->response.mutable_result(),
                                    PictureBytes{frame->incoming->PictureData(frame->request())}, &frame->large_fields);
  ++running_;
  actions->start = frame;
}

const grpc::ByteBuffer* StreamCall::NextAnswer() {
  if (HasAnsweredAll() && !has_sent_statistics_) {
    has_sent_statistics_ = true;
    if (statistics_.answered() > 0) {
      statistics_.set_mean_latency_ms(latency_sum_ms_ / static_cast<double>(statistics_.answered()));
    }
    outgoing_.push_back(std::make_unique<Frame>());
    outgoing_.back()->response.set_index(next_index_);
    *outgoing_.back()->response.mutable_statistics() = statistics_;
  }
  if (outgoing_.empty()) return nullptr;
  Frame& next = *outgoing_.front();
  next.outgoing = Serialize(next.response, next.large_fields);
  return &next.outgoing;
}

void StreamCall::StartWork(Frame* frame) {
  frame->task->Start([this, frame](const absl::Status& status) { FrameDone(frame, status); },
                     [this, frame](const v1::SegmentResponse& first) { FramePreliminary(*frame, first); });
}

}  // namespace candor
