// SPDX-License-Identifier: Apache-2.0
//
// The order of a stream's frames, without the stream: which frame runs when, which is superseded, and whose answer may
// leave. Neither gRPC nor threads.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace candor {

// Of one stream. Frames are numbered by their place on the stream. Thread-compatible.
class FrameQueue {
 public:
  enum class Policy { kEveryFrame, kLatestFrame };

  // A frame whose answer may leave now: its own, or that a newer one superseded it.
  struct Answer {
    uint64_t index = 0;
    std::optional<uint64_t> superseded_by;
  };
  // What follows from an event.
  struct Step {
    std::optional<uint64_t> start;  // this frame's turn has come
    std::vector<Answer> answers;    // in this order
  };

  explicit FrameQueue(Policy policy) : policy_(policy) {}

  // A frame of `camera` has come. With kEveryFrame it starts at once; with kLatestFrame once no other frame of the
  // camera is under way.
  Step Arrive(uint64_t index, absl::string_view camera);
  // A started frame is done, or its start failed.
  Step Finish(uint64_t index, absl::string_view camera);

  // Frames that have come and whose answers have not yet been given out.
  int unanswered() const { return unanswered_; }

 private:
  enum class State { kWaits, kRuns, kIsDone, kIsSuperseded };
  struct Frame {
    uint64_t index = 0;
    State state = State::kRuns;
    uint64_t superseded_by = 0;
  };

  std::vector<Answer> TakeAnswers(absl::string_view camera);

  Policy policy_;
  int unanswered_ = 0;
  absl::flat_hash_map<std::string, std::deque<Frame>> cameras_;  // those with unanswered frames, oldest first
};

}  // namespace candor
