// SPDX-License-Identifier: Apache-2.0
//
// The smallest network there is, for tests of training.
#pragma once

#include "core/nn/segmentation_net.h"

namespace candor {

// Two classes, width 4; a student learns predictive_stddev.
inline ModelSpec SmallSpec(ModelKind kind) {
  ModelSpec spec;
  spec.kind = kind;
  spec.width = 4;
  spec.classes = {{"meadow", {0, 128, 0}}, {"barn", {200, 0, 0}}};
  if (kind == ModelKind::kStudent) spec.learned = {UncertaintyKind::kPredictiveStddev};
  return spec;
}

// A student of both kinds.
inline ModelSpec SmallSpecOfTwoTargets() {
  ModelSpec spec = SmallSpec(ModelKind::kStudent);
  spec.learned = {UncertaintyKind::kPredictiveStddev, UncertaintyKind::kPredictiveEntropy};
  return spec;
}

// The same weights for the same seed.
inline SegmentationNet SmallNet(ModelKind kind, uint64_t seed = 1) {
  torch::manual_seed(seed);
  return MakeNetwork(SmallSpec(kind));
}

}  // namespace candor
