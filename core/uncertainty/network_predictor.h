// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "core/uncertainty/member_source.h"
#include "core/uncertainty/predictor.h"

namespace candor {

// Runs the members one after another over the same pictures and reduces their scores.
class NetworkPredictor : public Predictor {
 public:
  // `kinds`: those it can give, the default first.
  NetworkPredictor(std::unique_ptr<MemberSource> members, std::vector<UncertaintyKind> kinds, ScoreMeaning meaning,
                   std::unique_ptr<ScoreReducer> reducer);

  absl::StatusOr<std::vector<Segmentation>> PredictBatch(const torch::Tensor& images,
                                                         absl::Span<const PictureRequest> requests,
                                                         const MemberChecks& checks) override;
  absl::StatusOr<PendingAnswers> StartBatch(const torch::Tensor& images, absl::Span<const PictureRequest> requests,
                                            const MemberChecks& checks) override;
  const std::vector<UncertaintyKind>& kinds() const override { return kinds_; }

 private:
  const std::unique_ptr<MemberSource> members_;
  const std::vector<UncertaintyKind> kinds_;
  const ScoreMeaning meaning_;
  const std::unique_ptr<ScoreReducer> reducer_;
};

}  // namespace candor
