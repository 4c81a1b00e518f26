// SPDX-License-Identifier: Apache-2.0
//
// What `candor stream` says.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "client/bench/camera_player.h"
#include "client/cli/segment_outputs.h"
#include "client/segmentation_stream.h"

namespace candor {

// Of all frames so far. Thread-compatible.
class StreamFigures {
 public:
  // What was asked for.
  struct Asked {
    int cameras = 1;
    std::string kind;
    bool anytime = false;
    bool escalation = false;
  };

  explicit StreamFigures(Asked asked) : asked_(std::move(asked)), cameras_(static_cast<size_t>(asked_.cameras)) {}

  // `picture`: of an answer, the preliminary ones included; else null.
  void Add(const PlayedFrame& frame, const SegmentedPicture* picture);

  int64_t count(FrameFate fate) const;
  int64_t frames() const;
  // The first error of a frame that was late or failed; OK without one.
  const absl::Status& first_error() const { return first_error_; }

  // Now, over the last few seconds: for a line that changes.
  std::string NowLine() const;
  // A row for each camera and one for all.
  void Print(std::ostream& out) const;
  // `server` as the stream ended with, if it did.
  nlohmann::ordered_json Json(const std::optional<StreamStatistics>& server) const;

 private:
  struct Camera {
    std::string name;
    std::array<int64_t, 5> counts{};  // by fate
    std::vector<float> latencies_ms;  // of answers
    std::vector<float> preliminary_ms;
    std::array<int64_t, 5> escalations{};  // of answers, by outcome
    double uncertainty_sum = 0;
    int64_t members_sum = 0;
  };

  Camera Total() const;
  nlohmann::ordered_json EscalationJson(const Camera& total) const;

  const Asked asked_;
  std::vector<Camera> cameras_;
  double seconds_ = 0;               // to the last frame's end
  std::vector<double> last_done_s_;  // of the last answers, a ring
  absl::Status first_error_;
};

// The keys are documented in `candor stream --help`. `picture`: of an answer, else null.
nlohmann::ordered_json FrameJson(const PlayedFrame& frame, const SegmentedPicture* picture);

}  // namespace candor
