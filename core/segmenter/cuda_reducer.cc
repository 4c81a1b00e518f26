// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/cuda_reducer.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/nn/deeplab.h"
#include "core/segmenter/cuda_status.h"

namespace candor {

void CudaReducer::Reset(int members, const ScoreMeaning& meaning) {
  members_ = members;
  added_ = 0;
  learned_kinds_ = meaning.learned;
  learned_ = torch::Tensor();
}

absl::Status CudaReducer::Add(int index, const Scores& scores) {
  if (members_ > kMaxCudaMembers) {
    return absl::FailedPreconditionError(
        absl::StrCat("device cuda: the model has ", members_, " members, at most ", kMaxCudaMembers, " are possible"));
  }
  const torch::Tensor& logits = scores.logits;
  if (index == 0) {
    scores_ =
        torch::empty({logits.size(0), members_, logits.size(1), logits.size(2), logits.size(3)}, logits.options());
  }
  scores_.select(1, index).copy_(logits);
  added_ = index + 1;
  if (scores.uncertainty.defined()) learned_ = scores.uncertainty.contiguous();
  return absl::OkStatus();
}

void CudaReducer::WaitForMembers() { outgoing_.CurrentMoment().Wait(); }

torch::Tensor CudaReducer::MeanProbabilities(int64_t picture, const Region& region) const {
  torch::Tensor sum;
  for (int m = 0; m < added_; ++m) {
    const torch::Tensor p = torch::softmax(UpsampleBy4(scores_[picture][m].unsqueeze(0))[0], 0);
    sum = m == 0 ? p : sum.add_(p);
  }
  return sum.narrow(1, region.y, region.height).narrow(2, region.x, region.width).div_(added_);
}

CudaReduceJob CudaReducer::JobFor(int64_t picture, const Region& region) const {
  CudaReduceJob job;
  job.members = added_;
  job.classes = static_cast<int>(scores_.size(2));
  job.low_height = static_cast<int>(scores_.size(3));
  job.low_width = static_cast<int>(scores_.size(4));
  job.top = region.y;
  job.left = region.x;
  job.height = region.height;
  job.width = region.width;
  job.scores = scores_[picture].data_ptr<float>();
  if (!learned_.defined()) return job;
  for (size_t channel = 0; channel < learned_kinds_.size(); ++channel) {
    const UncertaintyKind kind = learned_kinds_[channel];
    job.learned[static_cast<int>(kind)] = learned_[picture][static_cast<int64_t>(channel)].data_ptr<float>();
    job.learned_max[static_cast<int>(kind)] = UncertaintyKindMax(kind, job.classes);
  }
  return job;
}

absl::StatusOr<CudaAnswer> CudaReducer::Start(int64_t picture, const PictureRequest& wanted) const {
  const Region region = wanted.region();
  CudaReduceJob job = JobFor(picture, region);
  CudaAnswer answer(region, wanted.request.kinds, job.classes, scores_.device());
  answer.SetOutputs(&job);
  // Torch's current stream is the default one here.
  RETURN_IF_ERROR(CudaStatus(plugin_->Reduce(job, nullptr)));
  if (wanted.request.want_probabilities) answer.SetProbabilities(MeanProbabilities(picture, region).contiguous());
  return answer;
}

absl::StatusOr<PendingAnswers> CudaReducer::Finish(absl::Span<const PictureRequest> requests) {
  TORCH_CHECK(static_cast<int64_t>(requests.size()) == scores_.size(0), "requests: want ", scores_.size(0), ", got ",
              requests.size());
  std::vector<CudaAnswer> answers;
  for (size_t n = 0; n < requests.size(); ++n) {
    ASSIGN_OR_RETURN(CudaAnswer answer, Start(static_cast<int64_t>(n), requests[n]));
    answers.push_back(std::move(answer));
  }
  outgoing_.FollowCurrent();
  {
    const auto use = outgoing_.Use();
    for (CudaAnswer& answer : answers) answer.StartCopies();
  }
  auto waiting = std::make_unique<const std::vector<CudaAnswer>>(std::move(answers));
  return PendingAnswers(
      [waiting = std::move(waiting), arrival = outgoing_.Now(), members = added_]() mutable -> PendingAnswers::Answers {
        try {
          arrival.Wait();
        } catch (...) {
          // A GPU that has failed for good says so again where memory is given back, which nothing could catch.
          static_cast<void>(waiting.release());
          throw;
        }
        std::vector<Segmentation> results;
        for (const CudaAnswer& answer : *waiting) {
          ASSIGN_OR_RETURN(Segmentation result, answer.Take());
          result.members = members;
          results.push_back(std::move(result));
        }
        return results;
      });
}

}  // namespace candor
