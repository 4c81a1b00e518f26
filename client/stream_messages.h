// SPDX-License-Identifier: Apache-2.0
//
// What a stream says besides segmentations, between plain structs and messages; and whether its answers fit what was
// sent.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "candor/v1/segmentation.pb.h"
#include "client/segmentation_stream.h"
#include "wire/large_fields.h"

namespace candor {

// `frame_timeout`: where the options have none. InvalidArgument: out of range.
absl::StatusOr<v1::StreamOptions> MakeStreamOptions(const StreamOptions& options, absl::Duration frame_timeout);

// The frames that wait for their answers. Thread-compatible.
class UnansweredFrames {
 public:
  struct Frame {
    v1::SegmentRequest request;  // without the picture's bytes
    absl::Time sent;
    bool has_preliminary = false;  // has had a preliminary answer
  };

  // Gives its place on the stream.
  uint64_t Add(Frame frame);

  // The frame that `answer` is for, which is then answered, unless the answer is preliminary. Internal, saying why: it
  // was not sent or is answered already, an older frame of its camera is not, the answer has another origin, a newer
  // frame that is none of the camera's supersedes it, or it has had a preliminary answer or did not ask for any.
  absl::StatusOr<Frame> Take(const v1::StreamResponse& answer);

  uint64_t sent() const { return next_index_; }

 private:
  uint64_t next_index_ = 0;
  std::map<uint64_t, Frame> frames_;
  std::map<std::string, std::deque<uint64_t>> cameras_;  // unanswered, by camera
};

// What became of a frame; `request` as sent, without the picture's bytes, `split` as of ReadSegmentResponse. Internal:
// as there, no outcome, or an error without a code of one.
absl::StatusOr<StreamAnswer> ReadStreamAnswer(const v1::SegmentRequest& request, const v1::StreamResponse& answer,
                                              const SplitMessage* split = nullptr);

// Internal: numbers that do not add up, or more frames than `sent`.
absl::StatusOr<StreamAnswer> ReadStreamStatistics(uint64_t sent, const v1::StreamResponse& answer);

}  // namespace candor
