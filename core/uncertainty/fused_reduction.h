// SPDX-License-Identifier: Apache-2.0
//
// From low-resolution class scores to labels, uncertainty maps and figures in one pass: bilinear upsampling by 4
// (align_corners), softmax, moments over members, argmax, uncertainty, summary. A row at a time, so no full-size tensor
// of classes exists at any moment. Vectorised with Highway for the instruction set found at run time.
#pragma once

#include <array>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "core/uncertainty/member_scores.h"
#include "core/uncertainty/segmentation.h"
#include "core/uncertainty/statistics.h"

namespace candor {

// Where each output position reads its two sources: index[i] and index[i] + 1, the second with weight fraction[i].
struct UpsampleTable {
  // Of an axis of `low` values upsampled to 4 * low, align_corners: source = i (low - 1) / (4 low - 1). The first
  // `count` positions, followed by repetitions of the last up to a multiple of 16.
  UpsampleTable(int low, int count);

  std::vector<int32_t> index;
  std::vector<float> fraction;
};

// One reduction of one picture. Construct, call Rows until every row is done, then Finish.
class FusedReduction {
 public:
  // `scores` and `learned` (scores [1][1][h][w] of a student's uncertainty head, or null) are borrowed. The picture has
  // `height` <= 4 h rows and `width` <= 4 w columns; the rest is padding and is not computed. With `learned`, the
  // predictive_stddev asked for is its sigmoid. Kinds must be possible: checked by the predictor.
  FusedReduction(const MemberScores& scores, const MemberScores* learned, int height, int width,
                 absl::Span<const KindRequest> kinds);

  // Computes rows [begin, end). Thread-safe for ranges that do not overlap.
  void Rows(int begin, int end) ABSL_LOCKS_EXCLUDED(mutex_);

  // The result. Internal: a value is not finite. To be called once.
  absl::StatusOr<Segmentation> Finish() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Gathered;  // figures of a range of rows

  Gathered MakeGathered() const;
  void GatherRow(int y, const std::vector<std::vector<float>>& kind_rows, Gathered* gathered) const;

  const MemberScores& scores_;
  const MemberScores* const learned_;
  const UpsampleTable columns_;
  const UpsampleTable rows_;
  Segmentation result_;  // labels and maps: each row is written by one thread; classes: under the mutex
  absl::Mutex mutex_;
  std::vector<KindAccumulator> accumulators_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace candor
