// SPDX-License-Identifier: Apache-2.0
//
// Where members' scores go: gathered as members run, reduced once all have. One implementation a device.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/nn/network.h"
#include "core/uncertainty/segmentation.h"

namespace candor {

struct PictureSize {
  int height = 0;
  int width = 0;
};

// One batch's reduction. Thread-compatible. May throw c10::Error.
class ScoreReducer {
 public:
  virtual ~ScoreReducer() = default;

  // Starts a batch of `members` members; forgets what came before. `learned`: the kind of each channel of
  // Scores::uncertainty; borrowed until the next Reset.
  virtual void Reset(int members, absl::Span<const UncertaintyKind> learned) = 0;

  // Takes member `index`'s scores; indices come in order from 0. Internal: a score is not finite.
  virtual absl::Status Add(int index, const Scores& scores) = 0;

  // All members are in: for each picture of the batch labels, maps and figures of its upper left `size`.
  virtual absl::StatusOr<std::vector<Segmentation>> Finish(PictureSize size, const PredictRequest& request) = 0;
};

}  // namespace candor
