// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/network_predictor.h"

#include <utility>

#include "core/base/status_macros.h"

namespace candor {

NetworkPredictor::NetworkPredictor(std::unique_ptr<MemberSource> members, std::vector<UncertaintyKind> kinds,
                                   ScoreMeaning meaning, std::unique_ptr<ScoreReducer> reducer)
    : members_(std::move(members)),
      kinds_(std::move(kinds)),
      meaning_(std::move(meaning)),
      reducer_(std::move(reducer)) {}

absl::StatusOr<std::vector<Segmentation>> NetworkPredictor::PredictBatch(const torch::Tensor& images,
                                                                         absl::Span<const PictureRequest> requests,
                                                                         const MemberChecks& checks) {
  ASSIGN_OR_RETURN(PendingAnswers answers, StartBatch(images, requests, checks));
  return std::move(answers).Take();
}

absl::StatusOr<PendingAnswers> NetworkPredictor::StartBatch(const torch::Tensor& images,
                                                            absl::Span<const PictureRequest> requests,
                                                            const MemberChecks& checks) {
  reducer_->Reset(members_->members(), meaning_);
  for (int m = 0; m < members_->members(); ++m) {
    if (checks.cancelled && checks.cancelled()) return absl::CancelledError("cancelled before all members had run");
    if (m >= 2 && checks.enough) {
      reducer_->WaitForMembers();  // it tells by the time that they took
      if (checks.enough()) break;
    }
    RETURN_IF_ERROR(reducer_->Add(m, members_->Run(m, images)));
  }
  return reducer_->Finish(requests);
}

}  // namespace candor
