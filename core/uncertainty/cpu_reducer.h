// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/uncertainty/member_scores.h"
#include "core/uncertainty/score_reducer.h"

namespace candor {

// The fused pass on the CPU, rows shared out among Torch's threads.
class CpuReducer : public ScoreReducer {
 public:
  void Reset(int members) override;
  absl::Status Add(int index, const Scores& scores, int64_t batch_index) override;
  absl::StatusOr<Segmentation> Finish(PictureSize size, absl::Span<const KindRequest> kinds) override;

 private:
  int members_ = 0;
  bool has_learned_ = false;
  MemberScores scores_;
  MemberScores learned_;
};

}  // namespace candor
