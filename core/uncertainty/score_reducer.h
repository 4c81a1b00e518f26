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
#include "core/uncertainty/pending_answers.h"
#include "core/uncertainty/score_meaning.h"
#include "core/uncertainty/segmentation.h"

namespace candor {

struct PictureSize {
  int height = 0;
  int width = 0;
};

// What to compute of one picture of a batch: of its upper left `size`, the rest being padding.
struct PictureRequest {
  PictureSize size;
  PredictRequest request;

  Region region() const { return request.region.value_or(Region{0, 0, size.width, size.height}); }
};

// One batch's reduction. Thread-compatible. May throw c10::Error.
class ScoreReducer {
 public:
  virtual ~ScoreReducer() = default;

  // Starts a batch of `members` members; forgets what came before.
  virtual void Reset(int members, const ScoreMeaning& meaning) = 0;

  // Takes member `index`'s scores; indices come in order from 0. Internal: a score is not finite.
  virtual absl::Status Add(int index, const Scores& scores) = 0;

  // Returns once the members that are in have been computed.
  virtual void WaitForMembers() {}

  // Labels, maps and figures of each picture of the batch, from the members that are in: at least one, and two if there
  // are more. `requests` has one entry a picture. The next batch may begin before the answers are taken.
  virtual absl::StatusOr<PendingAnswers> Finish(absl::Span<const PictureRequest> requests) = 0;
};

}  // namespace candor
