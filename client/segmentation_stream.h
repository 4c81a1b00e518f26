// SPDX-License-Identifier: Apache-2.0
//
// Frames of cameras to a server, and an answer to each, over one call.
//
//   ASSIGN_OR_RETURN(auto stream, client->OpenStream({candor::FramePolicy::kLatestFrame}));
//   // One thread:                                  // Another:
//   stream->SendEncoded(jpeg_bytes, options);       for (;;) {
//   ...                                               ASSIGN_OR_RETURN(auto answer, stream->Next());
//   stream->DoneSending();                            if (const auto* result = answer.result()) ...
//                                                     if (answer.statistics() != nullptr) break;
//                                                   }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/segmentation_client.h"

namespace candor {

enum class FramePolicy {
  kEveryFrame,   // all are segmented; the stream takes them no faster than that
  kLatestFrame,  // while a camera's frame is under way only its newest one waits; those it replaces are superseded
};

struct StreamOptions {
  FramePolicy policy = FramePolicy::kEveryFrame;
  // Frames that the server has taken and not answered, of all cameras; in [1, 1024]. Unset: the server's default.
  std::optional<int> max_unanswered = std::nullopt;
  // For each frame from its arrival at the server to its answer, in [1 ms, 1 h]; a late one gets DeadlineExceeded.
  // Unset: ClientOptions::timeout.
  std::optional<absl::Duration> frame_timeout = std::nullopt;
  std::optional<absl::Duration> timeout = std::nullopt;  // of the whole stream; unset: none
  std::string request_id = {};                           // as SegmentOptions::request_id, of all frames
  std::string traceparent = {};
};

// The first model's answer while, by SegmentOptions::escalation, the second is asked. The frame's answer follows.
struct Preliminary {
  SegmentResult result;
};

struct Superseded {
  uint64_t by_index = 0;  // the newer frame's place on the stream
};

// What the server counted, over the whole stream.
struct StreamStatistics {
  uint64_t frames = 0;    // received
  uint64_t answered = 0;  // with a result
  uint64_t superseded = 0;
  uint64_t late = 0;
  uint64_t failed = 0;         // otherwise
  double mean_latency_ms = 0;  // from arrival to answer there, of those answered
  double max_latency_ms = 0;
};

struct StreamAnswer {
  uint64_t index = 0;                // what Send gave; of the statistics: the number of frames
  std::optional<FrameOrigin> frame;  // as sent
  // The status is never OK; ErrorReason and RetryDelay (client/error_details.h) read it.
  std::variant<SegmentResult, Superseded, absl::Status, StreamStatistics, Preliminary> outcome;
  double round_trip_ms = 0;  // from Send to the answer's arrival here; results have it, too

  // Each null unless it is the outcome.
  const SegmentResult* result() const { return std::get_if<SegmentResult>(&outcome); }
  const Superseded* superseded() const { return std::get_if<Superseded>(&outcome); }
  const absl::Status* error() const { return std::get_if<absl::Status>(&outcome); }
  const StreamStatistics* statistics() const { return std::get_if<StreamStatistics>(&outcome); }
  const SegmentResult* preliminary() const {
    const auto* early = std::get_if<Preliminary>(&outcome);
    return early == nullptr ? nullptr : &early->result;
  }
};

// Every frame sent gets one answer, in the order of its camera (FrameOrigin::camera); the statistics come last. With an
// escalation a preliminary answer may come before it, in no order with other frames. A stream is not retried: when it
// breaks, the caller knows which frames were answered, and opens another for newer ones.
//
// Thread-safe. Answers that nobody takes stop the server, and with it Send: take them on another thread, or send with a
// patience and ask HasNext. The destructor cancels what has not ended.
class SegmentationStream {
 public:
  virtual ~SegmentationStream() = default;

  // Puts a frame on its way and gives its place on the stream, from 0; the bytes may go. Waits while the frame before
  // is still being taken by the connection, for at most `patience`: ResourceExhausted then, and the frame is as if
  // never sent. InvalidArgument: as SegmentationClient::SegmentEncoded; or options with request_id, traceparent or
  // timeout, which are the stream's. FailedPrecondition: DoneSending was called, or the stream has ended; Next says
  // how.
  virtual absl::StatusOr<uint64_t> SendEncoded(absl::string_view file_bytes, const SegmentOptions& options,
                                               absl::Duration patience = absl::InfiniteDuration()) = 0;
  virtual absl::StatusOr<uint64_t> SendRaw(const RawImage& image, const SegmentOptions& options,
                                           absl::Duration patience = absl::InfiniteDuration()) = 0;
  // No more frames; the server answers those sent and ends. Does not wait.
  virtual void DoneSending() = 0;

  // The next answer, for which it waits. An error is the end, for every later call too: OutOfRange after the
  // statistics; else what broke the stream, such as Unavailable (also after the statistics: the server is shutting
  // down) or Internal: an answer contradicts itself or what was sent.
  virtual absl::StatusOr<StreamAnswer> Next() = 0;
  // Next would not wait.
  virtual bool HasNext() const = 0;

  // Next gives Cancelled, soon, unless the stream has ended. The server stops working on it.
  virtual void Cancel() = 0;
};

}  // namespace candor
