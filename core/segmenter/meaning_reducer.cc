// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/meaning_reducer.h"

namespace candor {

void MeaningReducer::Reset(int members, const ScoreMeaning& meaning) {
  is_on_gpu_ = !meaning.is_learned_per_class && !meaning.is_dirichlet;
  if (is_on_gpu_) {
    gpu_->Reset(members, meaning);
  } else {
    cpu_.Reset(members, meaning);
  }
}

absl::Status MeaningReducer::Add(int index, const Scores& scores) {
  if (is_on_gpu_) return gpu_->Add(index, scores);
  return cpu_.Add(index,
                  {scores.logits.cpu(), scores.uncertainty.defined() ? scores.uncertainty.cpu() : torch::Tensor()});
}

void MeaningReducer::WaitForMembers() {
  if (is_on_gpu_) gpu_->WaitForMembers();
}

absl::StatusOr<PendingAnswers> MeaningReducer::Finish(absl::Span<const PictureRequest> requests) {
  return is_on_gpu_ ? gpu_->Finish(requests) : cpu_.Finish(requests);
}

}  // namespace candor
