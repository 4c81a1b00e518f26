// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/cuda_reducer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/uncertainty/statistics.h"

namespace candor {
namespace {

// Labels and maps on the host to figures.
absl::StatusOr<Segmentation> Summarise(PictureSize size, int classes, const torch::Tensor& labels,
                                       const std::vector<torch::Tensor>& maps, absl::Span<const KindRequest> kinds) {
  Segmentation result;
  result.width = size.width;
  result.height = size.height;
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
    if (kinds[k].want_map) kind.map.assign(values, values + maps[k].numel());
    if (k == 0) {
      for (size_t i = 0; i < result.labels.size(); ++i) result.classes[result.labels[i]].uncertainty_sum += values[i];
    }
    result.kinds.push_back(std::move(kind));
  }
  return result;
}

}  // namespace

void CudaReducer::Reset(int members) {
  members_ = members;
  learned_ = torch::Tensor();
}

absl::Status CudaReducer::Add(int index, const Scores& scores, int64_t batch_index) {
  if (members_ > kMaxCudaMembers) {
    return absl::FailedPreconditionError(
        absl::StrCat("device cuda: the model has ", members_, " members, at most ", kMaxCudaMembers, " are possible"));
  }
  const torch::Tensor logits = scores.logits[batch_index];
  if (index == 0) scores_ = torch::empty({members_, logits.size(0), logits.size(1), logits.size(2)}, logits.options());
  scores_[index].copy_(logits);
  if (scores.uncertainty.defined()) learned_ = scores.uncertainty[batch_index][0].contiguous();
  return absl::OkStatus();
}

absl::StatusOr<Segmentation> CudaReducer::Finish(PictureSize size, absl::Span<const KindRequest> kinds) {
  torch::Tensor labels = torch::empty({size.height, size.width}, scores_.options().dtype(torch::kUInt8));
  CudaReduceJob job;
  job.members = members_;
  job.classes = static_cast<int>(scores_.size(1));
  job.low_height = static_cast<int>(scores_.size(2));
  job.low_width = static_cast<int>(scores_.size(3));
  job.height = size.height;
  job.width = size.width;
  job.scores = scores_.data_ptr<float>();
  job.learned = learned_.defined() ? learned_.data_ptr<float>() : nullptr;
  job.labels = labels.data_ptr<uint8_t>();
  std::vector<torch::Tensor> maps;
  for (const KindRequest& kind : kinds) {
    maps.push_back(torch::empty({size.height, size.width}, scores_.options()));
    job.maps[static_cast<int>(kind.kind)] = maps.back().data_ptr<float>();
  }
  // Torch's current stream is the default one: nothing here changes it.
  if (const char* error = plugin_->Reduce(job, nullptr); error != nullptr) {
    return absl::InternalError(absl::StrCat("device cuda: ", error));
  }
  std::vector<torch::Tensor> host_maps;
  for (const torch::Tensor& map : maps) host_maps.push_back(map.cpu());  // waits for the kernel
  return Summarise(size, job.classes, labels.cpu(), host_maps, kinds);
}

}  // namespace candor
