// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/cuda_reducer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/floats_to_halves.h"
#include "core/base/status_macros.h"
#include "core/nn/deeplab.h"
#include "core/uncertainty/statistics.h"

namespace candor {
namespace {

// Labels and maps on the host to figures.
absl::StatusOr<Segmentation> Summarise(const Region& region, int classes, const torch::Tensor& labels,
                                       const std::vector<torch::Tensor>& maps, absl::Span<const KindRequest> kinds) {
  Segmentation result;
  result.width = region.width;
  result.height = region.height;
  const auto* label_values = labels.data_ptr<uint8_t>();
  result.labels.assign(label_values, label_values + labels.numel());
  result.classes.resize(classes);
  for (const uint8_t label : result.labels) ++result.classes[label].pixels;
  for (size_t k = 0; k < kinds.size(); ++k) {
    const float* values = maps[k].data_ptr<float>();
    KindAccumulator accumulator(kinds[k], UncertaintyKindMax(kinds[k].kind, classes));
    accumulator.AddRow(values, static_cast<int>(maps[k].numel()));
    if (!accumulator.all_finite()) {
      return absl::InternalError(
          absl::StrCat("NON_FINITE_OUTPUT: ", UncertaintyKindName(kinds[k].kind), " has a value that is not finite"));
    }
    KindResult kind;
    kind.statistics = accumulator.Finish();
    const absl::Span<const float> map(values, static_cast<size_t>(maps[k].numel()));
    if (kinds[k].want_map && kinds[k].as_halves) {
      kind.halves.resize(map.size());
      FloatsToHalves(map, kind.halves.data());
    } else if (kinds[k].want_map) {
      kind.map.assign(map.begin(), map.end());
    }
    if (k == 0) {
      for (size_t i = 0; i < result.labels.size(); ++i) result.classes[result.labels[i]].uncertainty_sum += values[i];
    }
    result.kinds.push_back(std::move(kind));
  }
  return result;
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

absl::StatusOr<Segmentation> CudaReducer::FinishPicture(int64_t picture, const PictureRequest& wanted) const {
  const Region region = wanted.region();
  const PredictRequest& request = wanted.request;
  torch::Tensor labels = torch::empty({region.height, region.width}, scores_.options().dtype(torch::kUInt8));
  CudaReduceJob job = JobFor(picture, region);
  job.labels = labels.data_ptr<uint8_t>();
  std::vector<torch::Tensor> maps;
  for (const KindRequest& kind : request.kinds) {
    maps.push_back(torch::empty({region.height, region.width}, scores_.options()));
    job.maps[static_cast<int>(kind.kind)] = maps.back().data_ptr<float>();
  }
  // Torch's current stream is the default one: nothing here changes it.
  if (const char* error = plugin_->Reduce(job, nullptr); error != nullptr) {
    return absl::AbortedError(absl::StrCat("device cuda: ", error));
  }
  std::vector<torch::Tensor> host_maps;
  for (const torch::Tensor& map : maps) host_maps.push_back(map.cpu());  // waits for the kernel
  ASSIGN_OR_RETURN(Segmentation result, Summarise(region, job.classes, labels.cpu(), host_maps, request.kinds));
  if (request.want_probabilities) {
    const torch::Tensor probabilities = MeanProbabilities(picture, region).cpu().contiguous();
    const float* values = probabilities.data_ptr<float>();
    result.probabilities.assign(values, values + probabilities.numel());
  }
  result.members = added_;
  return result;
}

absl::StatusOr<std::vector<Segmentation>> CudaReducer::Finish(absl::Span<const PictureRequest> requests) {
  TORCH_CHECK(static_cast<int64_t>(requests.size()) == scores_.size(0), "requests: want ", scores_.size(0), ", got ",
              requests.size());
  std::vector<Segmentation> results;
  for (int64_t n = 0; n < scores_.size(0); ++n) {
    ASSIGN_OR_RETURN(Segmentation result, FinishPicture(n, requests[n]));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace candor
