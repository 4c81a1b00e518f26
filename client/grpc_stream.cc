// SPDX-License-Identifier: Apache-2.0
//
// gRPC may call a reaction on the thread that starts an operation, so none is started under the lock. An operation
// started outside a reaction is kept apart from the end of the call by holds: one from the start until the last read,
// and one of each such operation, taken while the former is known to be there.
#include "client/grpc_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/grpc_status.h"
#include "client/messages.h"
#include "core/base/status_macros.h"
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

absl::StatusOr<v1::SegmentRequest> MakeFrameRequest(const SegmentOptions& options) {
  if (!options.request_id.empty() || !options.traceparent.empty() || options.timeout.has_value()) {
    return absl::InvalidArgumentError("request_id, traceparent, timeout: must be set for the stream, not for a frame");
  }
  return MakeSegmentRequest(options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentationStream>> GrpcStream::Open(const std::shared_ptr<grpc::Channel>& channel,
                                                                     const StreamOptions& options,
                                                                     absl::Duration frame_timeout) {
  RETURN_IF_ERROR(CheckHeader("request_id", options.request_id));
  RETURN_IF_ERROR(CheckHeader("traceparent", options.traceparent));
  ASSIGN_OR_RETURN(const v1::StreamOptions message, MakeStreamOptions(options, frame_timeout));
  std::unique_ptr<GrpcStream> stream(new GrpcStream(channel));
  if (!options.request_id.empty()) stream->context_.AddMetadata("x-request-id", options.request_id);
  if (!options.traceparent.empty()) stream->context_.AddMetadata("traceparent", options.traceparent);
  if (options.timeout.has_value() && *options.timeout != absl::InfiniteDuration()) {
    stream->context_.set_deadline(absl::ToChronoTime(absl::Now() + *options.timeout));
  }
  stream->Start(message);
  return stream;
}

void GrpcStream::Start(const v1::StreamOptions& options) {
  v1::StreamRequest first;
  *first.mutable_options() = options;
  outgoing_ = Serialize(first, {});
  stub_.PrepareBidiStreamingCall(&context_, "/candor.v1.Segmentation/SegmentStream", {}, this);
  AddHold();  // until everything is read
  StartWrite(&outgoing_);
  StartRead(&incoming_);
  StartCall();
}

GrpcStream::~GrpcStream() {
  context_.TryCancel();
  bool has_hold = false;
  {
    absl::MutexLock lock(&mu_);
    is_abandoned_ = true;
    has_hold = has_answer_ && !is_read_to_end_;  // else a read is under way, whose end lets go of it
    if (has_hold) is_read_to_end_ = true;
  }
  if (has_hold) RemoveHold();
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &GrpcStream::IsDone));
}

absl::StatusOr<uint64_t> GrpcStream::SendEncoded(absl::string_view file_bytes, const SegmentOptions& options,
                                                 absl::Duration patience) {
  ASSIGN_OR_RETURN(v1::SegmentRequest request, MakeFrameRequest(options));
  std::vector<grpc::Slice> large_fields;
  PutPicture(file_bytes, request.mutable_image(), &large_fields);
  return Send(std::move(request), std::move(large_fields), patience);
}

absl::StatusOr<uint64_t> GrpcStream::SendRaw(const RawImage& raw, const SegmentOptions& options,
                                             absl::Duration patience) {
  ASSIGN_OR_RETURN(v1::SegmentRequest request, MakeFrameRequest(options));
  std::vector<grpc::Slice> large_fields;
  PutPicture(raw, request.mutable_image(), &large_fields);
  return Send(std::move(request), std::move(large_fields), patience);
}

absl::StatusOr<uint64_t> GrpcStream::Send(v1::SegmentRequest request, std::vector<grpc::Slice> large_fields,
                                          absl::Duration patience) {
  const absl::Time start = absl::Now();
  v1::StreamRequest message;
  *message.mutable_frame() = request;
  grpc::ByteBuffer bytes = Serialize(message, large_fields);
  uint64_t index = 0;
  {
    absl::MutexLock lock(&mu_);
    if (!mu_.AwaitWithTimeout(absl::Condition(this, &GrpcStream::NeedNotWaitToWrite), patience)) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the frame before was still on its way to the server after ", absl::FormatDuration(patience)));
    }
    if (is_closing_) return absl::FailedPreconditionError("DoneSending was called: no frame may follow");
    if (has_write_failed_ || is_read_to_end_) return absl::FailedPreconditionError("the stream has ended");
    is_writing_ = true;
    outgoing_.Swap(&bytes);
    index = unanswered_.Add({std::move(request), start});
    AddHold();
  }
  StartWrite(&outgoing_);
  RemoveHold();
  return index;
}

void GrpcStream::DoneSending() {
  {
    absl::MutexLock lock(&mu_);
    if (std::exchange(is_closing_, true) || is_writing_ || has_write_failed_ || is_read_to_end_) return;
    is_writing_ = true;
    AddHold();
  }
  StartWritesDone();
  RemoveHold();
}

void GrpcStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mu_);
    outgoing_.Clear();
    has_write_failed_ = !ok;
    is_writing_ = ok && is_closing_;
    if (!is_writing_) return;
  }
  StartWritesDone();
}

void GrpcStream::OnReadDone(bool ok) {
  {
    absl::MutexLock lock(&mu_);
    arrival_ = absl::Now();
    if (ok && !is_abandoned_) {
      has_answer_ = true;
      return;
    }
    is_read_to_end_ = true;
  }
  RemoveHold();
}

void GrpcStream::OnDone(const grpc::Status& status) {
  absl::MutexLock lock(&mu_);
  ending_ = FromGrpc(status);
  is_done_ = true;
}

bool GrpcStream::HasNext() const {
  absl::MutexLock lock(&mu_);
  return CanGiveNext();
}

absl::Status GrpcStream::Ending() const {
  if (!broken_.ok()) return broken_;
  if (!ending_.ok()) return ending_;
  if (!has_statistics_) return absl::InternalError("the server ended the stream without statistics");
  return absl::OutOfRangeError("the stream has ended");
}

absl::StatusOr<std::optional<UnansweredFrames::Frame>> GrpcStream::TakeFrame(const v1::StreamResponse& answer) {
  if (has_statistics_) return absl::InternalError("the server sent an answer after the statistics");
  if (answer.has_statistics()) {
    has_statistics_ = true;
    return std::nullopt;
  }
  return unanswered_.Take(answer);
}

absl::Status GrpcStream::BreakOff(const absl::Status& status) {
  context_.TryCancel();
  absl::MutexLock lock(&mu_);
  broken_ = status;
  return status;
}

absl::StatusOr<StreamAnswer> GrpcStream::Next() {
  Incoming<v1::StreamResponse> incoming;
  absl::StatusOr<std::optional<UnansweredFrames::Frame>> frame = std::nullopt;
  absl::Time arrival;
  uint64_t sent = 0;
  {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &GrpcStream::CanGiveNext));
    if (!broken_.ok() || !has_answer_) return Ending();
    incoming.bytes.Swap(&incoming_);
    // Under the same lock: the order of answers is checked.
    frame = Parse(&incoming) ? TakeFrame(incoming.message)
                             : absl::InternalError("the server's answer is no candor.v1.StreamResponse");
    arrival = arrival_;
    sent = unanswered_.sent();
    has_answer_ = false;
    AddHold();
  }
  StartRead(&incoming_);
  RemoveHold();
  if (!frame.ok()) return BreakOff(frame.status());
  const bool is_of_frame = frame->has_value();
  absl::StatusOr<StreamAnswer> answer = is_of_frame
                                            ? ReadStreamAnswer((*frame)->request, incoming.message, &incoming.split)
                                            : ReadStreamStatistics(sent, incoming.message);
  if (!answer.ok()) return BreakOff(answer.status());
  if (is_of_frame) answer->round_trip_ms = absl::ToDoubleMilliseconds(arrival - (*frame)->sent);
  if (auto* result = std::get_if<SegmentResult>(&answer->outcome)) result->round_trip_ms = answer->round_trip_ms;
  if (auto* early = std::get_if<Preliminary>(&answer->outcome)) early->result.round_trip_ms = answer->round_trip_ms;
  return answer;
}

}  // namespace candor
