// SPDX-License-Identifier: Apache-2.0
#include "trainer/fitting/class_moments.h"

#include <cmath>
#include <numeric>

namespace candor {
namespace {

constexpr double kJitter = 1e-4;
constexpr double kNoWeight = -1e30;  // of a class without rows: exp of it is 0, and it is finite, as weights must be
constexpr double kTwoPi = 6.283185307179586;

// The `components` directions [k, d] in which rows of mean `mean` and second moment `second` vary most.
torch::Tensor PrincipalDirections(const torch::Tensor& mean, const torch::Tensor& second, int64_t components) {
  const auto [values, vectors] = torch::linalg_eigh(second - torch::outer(mean, mean));  // ascending
  return vectors.narrow(1, vectors.size(1) - components, components).t().contiguous();
}

}  // namespace

ClassMoments::ClassMoments(int64_t classes, int64_t channels, torch::Device device)
    : counts_(classes),
      sums_(torch::zeros({classes, channels}, torch::dtype(torch::kFloat64).device(device))),
      products_(torch::zeros({classes, channels, channels}, sums_.options())) {}

void ClassMoments::Add(const torch::Tensor& rows, const torch::Tensor& labels) {
  for (size_t c = 0; c < counts_.size(); ++c) {
    const auto index = static_cast<int64_t>(c);
    const torch::Tensor chosen = labels.eq(index).nonzero().flatten();
    if (chosen.numel() == 0) continue;
    const torch::Tensor values = rows.index_select(0, chosen).to(torch::kFloat64);
    counts_[c] += values.size(0);
    sums_[index] += values.sum(0);
    products_[index].addmm_(values.t(), values);
  }
}

absl::StatusOr<ClassGaussians> ClassMoments::Gaussians(int64_t components) const {
  const auto total = static_cast<double>(std::accumulate(counts_.begin(), counts_.end(), int64_t{0}));
  if (total == 0) return absl::FailedPreconditionError("feature_density: must have labelled pixels, has none");
  const int64_t channels = sums_.size(1);
  const int64_t k = components > 0 ? components : channels;
  const torch::Tensor projection = k < channels ? PrincipalDirections(sums_.sum(0) / total, products_.sum(0) / total, k)
                                                : torch::eye(channels, sums_.options());
  const torch::Tensor counts = torch::tensor(counts_, sums_.options());
  const torch::Tensor means = torch::matmul(sums_ / counts.clamp_min(1).unsqueeze(1), projection.t());  // [C, k]
  const torch::Tensor second = torch::matmul(torch::matmul(projection, products_), projection.t());
  // Sums of squares about each mean [C, k, k].
  const torch::Tensor scatter = second - counts.reshape({-1, 1, 1}) * means.unsqueeze(2) * means.unsqueeze(1);
  const torch::Tensor pooled = scatter.sum(0) / total;
  const double mean_variance = pooled.diagonal().mean().item<double>();
  if (!(mean_variance > 0)) {
    return absl::FailedPreconditionError("feature_density: the features must vary within a class, do not");
  }
  const torch::Tensor jitter = kJitter * mean_variance * torch::eye(k, sums_.options());
  ClassGaussians gaussians;
  gaussians.whiten = torch::zeros({sums_.size(0), k, channels}, sums_.options());
  gaussians.offset = torch::zeros({sums_.size(0), k}, sums_.options());
  gaussians.weight = torch::full({sums_.size(0)}, kNoWeight, sums_.options());
  for (size_t c = 0; c < counts_.size(); ++c) {
    if (counts_[c] == 0) continue;
    const auto index = static_cast<int64_t>(c);
    const auto count = static_cast<double>(counts_[c]);
    const double shrink = static_cast<double>(k) / (static_cast<double>(k) + count);
    const torch::Tensor factor =
        torch::linalg_cholesky((1 - shrink) * scatter[index] / count + shrink * pooled + jitter);
    gaussians.whiten[index] = torch::linalg_solve_triangular(factor, projection, /*upper=*/false);
    gaussians.offset[index] =
        torch::linalg_solve_triangular(factor, means[index].unsqueeze(1), /*upper=*/false).squeeze(1);
    gaussians.weight[index] =
        std::log(count / total) - factor.diagonal().log().sum() - static_cast<double>(k) / 2 * std::log(kTwoPi);
  }
  return gaussians;
}

}  // namespace candor
