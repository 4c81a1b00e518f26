// SPDX-License-Identifier: Apache-2.0
//
// What a model says about one picture, and what may be asked of it. Plain C++: seen on both sides of the firewall.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "core/model/uncertainty_kind.h"

namespace candor {

// One uncertainty kind to compute.
struct KindRequest {
  UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;
  bool want_map = false;  // false: statistics only
  float threshold = 0;    // for share_above_threshold, in the kind's unit
};

// What to compute of a picture. Borrows `kinds`.
struct PredictRequest {
  absl::Span<const KindRequest> kinds;
  bool want_probabilities = false;
};

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
};

struct KindResult {
  KindStatistics statistics;
  std::vector<float> map;  // [height][width]; empty unless asked for
};

struct ClassTally {
  int64_t pixels = 0;
  double uncertainty_sum = 0;  // of the first kind asked for
};

struct Segmentation {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> labels;      // [height][width], class indices
  std::vector<KindResult> kinds;    // in the order asked for
  std::vector<ClassTally> classes;  // by class index
  // [classes][height][width], the softmax averaged over members; empty unless asked for. A picture's largest result by
  // far: for evaluation, not for serving.
  std::vector<float> probabilities;
};

// True once nobody waits for the answer any more. Called between members, from the computing thread.
using CancelCheck = std::function<bool()>;

}  // namespace candor
