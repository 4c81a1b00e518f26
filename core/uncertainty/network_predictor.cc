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
  int computed = 0;
  for (int m = 0; m < members_->members(); ++m) {
    if (checks.cancelled && checks.cancelled()) return absl::CancelledError("cancelled before all members had run");
    if (checks.enough && m == computed) {
      reducer_->WaitForMembers();  // it tells by the time that they took
      const bool are_enough = checks.enough();
      if (are_enough && m >= 2) break;
    }
    RETURN_IF_ERROR(reducer_->Add(m, members_->Run(m, images)));
    computed = members_->ComputedAfter(m);
  }
  return reducer_->Finish(requests);
}

}  // namespace candor
