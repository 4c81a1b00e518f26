// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/uncertainty/cpu_reducer.h"
#include "core/uncertainty/score_reducer.h"

namespace candor {

// Reduces on the GPU what its kernel can read, the logits of members and a learned channel a kind, and on the CPU, to
// which the scores are copied, everything else: a learned channel a class, and Dirichlets.
class MeaningReducer : public ScoreReducer {
 public:
  explicit MeaningReducer(std::unique_ptr<ScoreReducer> gpu) : gpu_(std::move(gpu)) {}

  void Reset(int members, const ScoreMeaning& meaning) override;
  absl::Status Add(int index, const Scores& scores) override;
  void WaitForMembers() override;
  absl::StatusOr<PendingAnswers> Finish(absl::Span<const PictureRequest> requests) override;

 private:
  const std::unique_ptr<ScoreReducer> gpu_;
  CpuReducer cpu_;
  bool is_on_gpu_ = true;
};

}  // namespace candor
