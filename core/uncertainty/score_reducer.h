// SPDX-License-Identifier: Apache-2.0
//
// Where members' scores go: gathered as members run, reduced once all have. One implementation a device.
#pragma once

#include <torch/torch.h>

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

// One picture's reduction. Thread-compatible. May throw c10::Error.
class ScoreReducer {
 public:
  virtual ~ScoreReducer() = default;

  // Starts a picture of `members` members; forgets what came before.
  virtual void Reset(int members) = 0;

  // Takes member `index`'s scores of picture `batch_index`. Internal: a score is not finite.
  virtual absl::Status Add(int index, const Scores& scores, int64_t batch_index) = 0;

  // All members are in: labels, maps and figures of the upper left `size` of the padded picture.
  virtual absl::StatusOr<Segmentation> Finish(PictureSize size, absl::Span<const KindRequest> kinds) = 0;
};

}  // namespace candor
