// SPDX-License-Identifier: Apache-2.0
//
// What a model says about one picture, and what may be asked of it. Plain C++: seen on both sides of the firewall.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "core/model/uncertainty_kind.h"

namespace candor {

// One uncertainty kind to compute.
struct KindRequest {
  UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;
  bool want_map = false;   // false: statistics only
  float threshold = 0;     // for share_above_threshold, in the kind's unit
  bool as_halves = false;  // the map as IEEE halves, for sending: half of what has to be written and read again
};

// A rectangle of a picture's pixels.
struct Region {
  int x = 0;  // of its left column
  int y = 0;  // of its top row
  int width = 0;
  int height = 0;
};

// What to compute of a picture. Borrows `kinds`.
struct PredictRequest {
  absl::Span<const KindRequest> kinds;
  bool want_probabilities = false;
  // Only these pixels are labelled and counted, though the network sees the whole picture. Lies inside it, not empty.
  // Unset: all pixels.
  std::optional<Region> region = std::nullopt;
};

// Pixels in each of 64 equal bins over [0, UncertaintyKindMax].
inline constexpr int kUncertaintyHistogramBins = 64;
using PixelHistogram = std::array<int64_t, kUncertaintyHistogramBins>;

struct KindStatistics {
  UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;
  float mean = 0;
  float max = 0;
  // From a histogram of 1,024 equal bins over [0, UncertaintyKindMax]: the upper edge of the bin that holds the
  // quantile.
  float median = 0;
  float p90 = 0;
  float p99 = 0;
  float threshold = 0;
  float share_above_threshold = 0;  // in [0, 1]
  PixelHistogram histogram{};
};

struct KindResult {
  KindStatistics statistics;
  std::vector<float> map;        // [height][width]; empty unless asked for
  std::vector<uint16_t> halves;  // the same with as_halves, `map` being empty then
};

struct ClassTally {
  int64_t pixels = 0;
  double uncertainty_sum = 0;  // of the first kind asked for
};

// Of the region asked for.
struct Segmentation {
  int width = 0;
  int height = 0;
  int members = 0;              // predictions it is made of; fewer than the model's where MemberChecks::enough said so
  std::vector<uint8_t> labels;  // [height][width], class indices
  std::vector<KindResult> kinds;    // in the order asked for
  std::vector<ClassTally> classes;  // by class index
  // [classes][height][width], the softmax averaged over members; empty unless asked for. A picture's largest result by
  // far: for evaluation, not for serving.
  std::vector<float> probabilities;
};

// True once nobody waits for the answer any more. Called between members, from the computing thread.
using CancelCheck = std::function<bool()>;

// What the computation asks between members, from its own thread. Null: never.
struct MemberChecks {
  CancelCheck cancelled;
  // Asked before each member, or group that runs together, the first too. True, of two at least: these will do.
  CancelCheck enough = nullptr;
};

}  // namespace candor
