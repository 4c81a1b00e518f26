// SPDX-License-Identifier: Apache-2.0
//
// Conversion and checks. Nothing here trusts what the server sent.
#include "client/stream_messages.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "client/messages.h"
#include "core/base/status_macros.h"
#include "google/rpc/error_details.pb.h"

namespace candor {
namespace {

constexpr int kMostUnanswered = 1024;
constexpr int kLastCode = static_cast<int>(absl::StatusCode::kUnauthenticated);
constexpr absl::Duration kLongestFrameTimeout = absl::Hours(1);

template <typename... Parts>
absl::Status BadAnswer(uint64_t index, const Parts&... parts) {
  return absl::InternalError(absl::StrCat("the server's answer ", index, " contradicts the stream: ", parts...));
}

template <typename Detail>
void AddDetail(const Detail& detail, absl::Status* status) {
  status->SetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()),
                     absl::Cord(detail.SerializeAsString()));
}

// As FromGrpc makes it of a call that ends so.
absl::Status ToStatus(const v1::FrameError& error) {
  absl::Status status(static_cast<absl::StatusCode>(error.code()), error.message());
  if (!error.reason().empty()) {
    google::rpc::ErrorInfo info;
    info.set_domain("candor");
    info.set_reason(error.reason());
    AddDetail(info, &status);
  }
  if (error.retry_delay_ms() > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(error.retry_delay_ms() / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(error.retry_delay_ms() % 1000 * 1'000'000));
    AddDetail(retry, &status);
  }
  return status;
}

}  // namespace

absl::StatusOr<v1::StreamOptions> MakeStreamOptions(const StreamOptions& options, absl::Duration frame_timeout) {
  v1::StreamOptions message;
  message.set_policy(options.policy == FramePolicy::kLatestFrame ? v1::LATEST_FRAME : v1::EVERY_FRAME);
  if (options.max_unanswered.has_value()) {
    if (*options.max_unanswered < 1 || *options.max_unanswered > kMostUnanswered) {
      return absl::InvalidArgumentError(
          absl::StrCat("max_unanswered: must be in [1, ", kMostUnanswered, "], got ", *options.max_unanswered));
    }
    message.set_max_unanswered(*options.max_unanswered);
  }
  if (options.frame_timeout.has_value() &&
      (*options.frame_timeout < absl::Milliseconds(1) || *options.frame_timeout > kLongestFrameTimeout)) {
    return absl::InvalidArgumentError(
        absl::StrCat("frame_timeout: must be in [1ms, 1h], got ", absl::FormatDuration(*options.frame_timeout)));
  }
  if (options.timeout.has_value() && *options.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("timeout: must be > 0, got ", absl::FormatDuration(*options.timeout)));
  }
  const absl::Duration limit =
      std::clamp(options.frame_timeout.value_or(frame_timeout), absl::Milliseconds(1), kLongestFrameTimeout);
  message.set_frame_timeout_ms(static_cast<int32_t>(absl::ToInt64Milliseconds(limit)));
  return message;
}

uint64_t UnansweredFrames::Add(Frame frame) {
  cameras_[frame.request.frame().camera()].push_back(next_index_);
  frames_.emplace(next_index_, std::move(frame));
  return next_index_++;
}

absl::StatusOr<UnansweredFrames::Frame> UnansweredFrames::Take(const v1::StreamResponse& answer) {
  const uint64_t index = answer.index();
  const auto found = frames_.find(index);
  if (found == frames_.end()) return BadAnswer(index, "no such frame is unanswered, of ", next_index_, " sent");
  const v1::SegmentRequest& request = found->second.request;
  if (answer.has_frame() != request.has_frame() || !IsSameFrame(answer.frame(), request.frame())) {
    return BadAnswer(index, "frame: must be as sent");
  }
  if (answer.has_preliminary()) {
    if (!request.has_escalation()) return BadAnswer(index, "preliminary: no escalation was asked for");
    if (std::exchange(found->second.has_preliminary, true)) return BadAnswer(index, "preliminary: came twice");
    return found->second;
  }
  const auto camera = cameras_.find(request.frame().camera());
  if (camera->second.front() != index) {
    return BadAnswer(index, "frame ", camera->second.front(), " of the same camera is to be answered first");
  }
  if (answer.has_superseded() && std::find(std::next(camera->second.begin()), camera->second.end(),
                                           answer.superseded().by_index()) == camera->second.end()) {
    return BadAnswer(index, "superseded.by_index: must be a newer frame of the camera, got ",
                     answer.superseded().by_index());
  }
  camera->second.pop_front();
  if (camera->second.empty()) cameras_.erase(camera);
  Frame frame = std::move(found->second);
  frames_.erase(found);
  return frame;
}

absl::StatusOr<StreamAnswer> ReadStreamAnswer(const v1::SegmentRequest& request, const v1::StreamResponse& answer,
                                              const SplitMessage* split) {
  StreamAnswer out;
  out.index = answer.index();
  if (answer.has_frame()) out.frame = ReadFrame(answer.frame());
  switch (answer.outcome_case()) {
    case v1::StreamResponse::kResult: {
      ASSIGN_OR_RETURN(out.outcome, ReadSegmentResponse(request, answer.result(), split));
      return out;
    }
    case v1::StreamResponse::kPreliminary: {
      ASSIGN_OR_RETURN(SegmentResult first, ReadSegmentResponse(request, answer.preliminary(), split));
      if (first.escalation != EscalationOutcome::kNone) {
        return BadAnswer(answer.index(), "preliminary.escalation: must not be decided");
      }
      out.outcome = Preliminary{std::move(first)};
      return out;
    }
    case v1::StreamResponse::kSuperseded:
      out.outcome = Superseded{answer.superseded().by_index()};
      return out;
    case v1::StreamResponse::kError:
      if (answer.error().code() < 1 || answer.error().code() > kLastCode) {
        return BadAnswer(answer.index(), "error.code: must be in [1, ", kLastCode, "], got ", answer.error().code());
      }
      out.outcome = ToStatus(answer.error());
      return out;
    default:
      return BadAnswer(answer.index(), "must have a result, superseded or an error");
  }
}

absl::StatusOr<StreamAnswer> ReadStreamStatistics(uint64_t sent, const v1::StreamResponse& answer) {
  const v1::StreamStatistics& in = answer.statistics();
  const uint64_t sum = in.answered() + in.superseded() + in.late() + in.failed();
  if (in.frames() != sum || in.frames() > sent || answer.index() != in.frames()) {
    return BadAnswer(answer.index(), "statistics: ", in.frames(), " frames, of them ", sum, " ended, of ", sent,
                     " sent");
  }
  for (const double ms : {in.mean_latency_ms(), in.max_latency_ms()}) {
    if (!std::isfinite(ms) || ms < 0) {
      return BadAnswer(answer.index(), "statistics: latency must be finite and >= 0, got ", ms);
    }
  }
  StreamAnswer out;
  out.index = answer.index();
  out.outcome = StreamStatistics{in.frames(), in.answered(),        in.superseded(),    in.late(),
                                 in.failed(), in.mean_latency_ms(), in.max_latency_ms()};
  return out;
}

}  // namespace candor
