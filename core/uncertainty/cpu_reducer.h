// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/uncertainty/member_scores.h"
#include "core/uncertainty/score_reducer.h"

namespace candor {

// The fused pass on the CPU, the rows of all pictures shared out among Torch's threads.
class CpuReducer : public ScoreReducer {
 public:
  void Reset(int members, const ScoreMeaning& meaning) override;
  absl::Status Add(int index, const Scores& scores) override;
  absl::StatusOr<PendingAnswers> Finish(absl::Span<const PictureRequest> requests) override;

 private:
  struct Picture {
    MemberScores scores;
    MemberScores learned;
  };

  int members_ = 0;
  int added_ = 0;
  ScoreMeaning meaning_;
  bool has_learned_ = false;
  int64_t batch_ = 0;
  std::vector<Picture> pictures_;  // the first batch_ are in use; the rest are kept for their memory
};

}  // namespace candor
