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
  // Of an axis of `low` values upsampled to 4 * low, align_corners: source = i (low - 1) / (4 low - 1). Positions
  // [first, first + count), followed by repetitions of the last up to a multiple of 16.
  UpsampleTable(int low, int first, int count);

  std::vector<int32_t> index;
  std::vector<float> fraction;
};

// What a student's uncertainty head says: scores [1][kinds.size()][h][w], one channel a kind; or, `is_per_class`, of
// one kind [1][classes][h][w], of which each pixel's label counts. Borrowed.
struct LearnedScores {
  const MemberScores* scores = nullptr;  // null for other models
  absl::Span<const UncertaintyKind> kinds;
  bool is_per_class = false;
};

// What class scores are: logits of each member, or ln a of a Dirichlet with parameters a (one member; every kind but
// disagreement in closed form, see dirichlet-inl.h).
enum class ClassScores { kLogits, kDirichlet };

// One reduction of one picture. Construct, call Rows until every row is done, then Finish.
class FusedReduction {
 public:
  // `scores` and `learned` are borrowed. Only `region`, which lies within 4 h rows and 4 w columns, is computed. A kind
  // that was learned is the sigmoid of its upsampled channel times UncertaintyKindMax; the others come from `scores`.
  // Kinds must be possible: checked by the predictor. `request` is read in the constructor only.
  FusedReduction(const MemberScores& scores, const LearnedScores& learned, const Region& region,
                 const PredictRequest& request, ClassScores meaning = ClassScores::kLogits);

  int rows() const { return result_.height; }

  // Computes rows [begin, end) of the region. Thread-safe for ranges that do not overlap.
  void Rows(int begin, int end) ABSL_LOCKS_EXCLUDED(mutex_);

  // The result. Internal: a value is not finite. To be called once.
  absl::StatusOr<Segmentation> Finish() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Gathered;  // figures of a range of rows
  class RowBuffers;

  Gathered MakeGathered() const;
  void KeepRow(int y, const RowBuffers& buffers);
  void GatherRow(int y, const RowBuffers& buffers, Gathered* gathered) const;

  const MemberScores& scores_;
  const LearnedScores learned_;
  const ClassScores meaning_;
  const UpsampleTable columns_;
  const UpsampleTable rows_;
  Segmentation result_;  // labels, maps, probabilities: each row is written by one thread; classes: under the mutex
  absl::Mutex mutex_;
  std::vector<KindAccumulator> accumulators_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace candor
