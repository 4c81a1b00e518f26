// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/swag_posterior.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

bool IsDrawn(const NamedTensor& tensor) {
  for (const char* end : {".running_mean", ".running_var", ".num_batches_tracked"}) {
    if (absl::EndsWith(tensor.name, end)) return false;
  }
  return true;
}

absl::Status CheckAlike(const TensorFile& a, const TensorFile& b) {
  bool is_alike = a.tensors.size() == b.tensors.size();
  for (size_t t = 0; is_alike && t < a.tensors.size(); ++t) {
    is_alike = a.tensors[t].name == b.tensors[t].name && a.tensors[t].shape == b.tensors[t].shape;
  }
  if (is_alike) return absl::OkStatus();
  return absl::InvalidArgumentError("iterates: must be weights of one network, two differ in names or shapes");
}

// All iterates of one tensor, [K, n] float32.
absl::StatusOr<torch::Tensor> Stacked(const std::vector<TensorFile>& iterates, size_t index) {
  std::vector<torch::Tensor> rows;
  for (const TensorFile& iterate : iterates) {
    ASSIGN_OR_RETURN(const std::vector<float> values, iterate.tensors[index].ToFloats());
    rows.push_back(torch::tensor(values, torch::kFloat32));
  }
  return torch::stack(rows);
}

}  // namespace

SwagPosterior::SwagPosterior(TensorFile newest, std::vector<Weights> weights, int64_t iterates)
    : newest_(std::move(newest)), weights_(std::move(weights)), iterates_(iterates) {}

absl::StatusOr<SwagPosterior> SwagPosterior::Fit(const std::vector<TensorFile>& iterates) {
  if (iterates.size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat("iterates: must be at least 2, got ", iterates.size()));
  }
  for (const TensorFile& iterate : iterates) RETURN_IF_ERROR(CheckAlike(iterates[0], iterate));
  const torch::NoGradGuard no_grad;
  const auto count = static_cast<int64_t>(iterates.size());
  std::vector<Weights> all;
  for (size_t t = 0; t < iterates[0].tensors.size(); ++t) {
    Weights& weights = all.emplace_back();
    if (!IsDrawn(iterates[0].tensors[t])) continue;
    ASSIGN_OR_RETURN(const torch::Tensor values, Stacked(iterates, t));
    weights.mean = values.mean(0);
    // As the mean of squared deviations: the difference of two large squares would be lost in float32.
    weights.stddev = (values - weights.mean).square().mean(0).sqrt();
    const torch::Tensor seen = torch::arange(1, count + 1, torch::kFloat32).unsqueeze(1);
    weights.deviations = values - values.cumsum(0) / seen;
  }
  return SwagPosterior(iterates.back(), std::move(all), count);
}

TensorFile SwagPosterior::Draw(uint64_t seed, double scale) const {
  const torch::NoGradGuard no_grad;
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  const torch::Tensor z2 = torch::randn({iterates_}, generator, torch::kFloat32);
  TensorFile draw = newest_;
  for (size_t t = 0; t < weights_.size(); ++t) {
    const Weights& weights = weights_[t];
    if (!weights.mean.defined()) continue;
    const torch::Tensor z1 = torch::randn(weights.mean.sizes(), generator, torch::kFloat32);
    const torch::Tensor low_rank =
        torch::mv(weights.deviations.t(), z2) / std::sqrt(static_cast<double>(iterates_ - 1));
    const torch::Tensor theta = (weights.mean + std::sqrt(scale) * (weights.stddev * z1 + low_rank)).contiguous();
    draw.tensors[t].dtype = DType::kF32;
    draw.tensors[t].data.assign(static_cast<const char*>(theta.data_ptr()), theta.nbytes());
  }
  return draw;
}

}  // namespace candor
