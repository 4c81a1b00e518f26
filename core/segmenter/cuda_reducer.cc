// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/cuda_reducer.h"

#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/nn/deeplab.h"
#include "core/segmenter/cuda_status.h"

namespace candor {
namespace {

// Until the device has done all that is on its current stream.
void Wait(const torch::Device& device) {
  if (device.is_cuda()) c10::impl::VirtualGuardImpl(device.type()).getStream(device).synchronize();
}

}  // namespace

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
  // Torch's current stream is the default one: nothing here changes it.
  RETURN_IF_ERROR(CudaStatus(plugin_->Reduce(job, nullptr)));
  answer.StartCopies();
  return answer;
}

absl::StatusOr<std::vector<Segmentation>> CudaReducer::Finish(absl::Span<const PictureRequest> requests) {
  TORCH_CHECK(static_cast<int64_t>(requests.size()) == scores_.size(0), "requests: want ", scores_.size(0), ", got ",
              requests.size());
  std::vector<CudaAnswer> answers;
  for (size_t n = 0; n < requests.size(); ++n) {
    ASSIGN_OR_RETURN(CudaAnswer answer, Start(static_cast<int64_t>(n), requests[n]));
    answers.push_back(std::move(answer));
  }
  Wait(scores_.device());
  std::vector<Segmentation> results;
  for (size_t n = 0; n < requests.size(); ++n) {
    ASSIGN_OR_RETURN(Segmentation result, answers[n].Take());
    result.members = added_;
    if (requests[n].request.want_probabilities) {
      const torch::Tensor probabilities =
          MeanProbabilities(static_cast<int64_t>(n), requests[n].region()).cpu().contiguous();
      const float* values = probabilities.data_ptr<float>();
      result.probabilities.assign(values, values + probabilities.numel());
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace candor
