// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/logit_gaussian_objective.h"

#include <cmath>
#include <utility>

#include "trainer/training/sample_objective.h"

namespace candor {
namespace {

constexpr double kLogTwoPi = 1.8378770664093454836;

// What the low-rank part F of a covariance D + F F^T changes, a place: to the logarithm of the determinant (added) and,
// member by member, to the square of the deviation (taken off).
struct LowRankPart {
  torch::Tensor log_determinant;  // [N, h, w]
  torch::Tensor square;           // [M, N, h, w]
};

// With K = I + F^T D^-1 F = L L^T and u = F^T D^-1 x: ln |K|, and u^T K^-1 u = |L^-1 u|^2.
LowRankPart LowRank(const LogitSpread& spread, const torch::Tensor& weighted) {
  const torch::Tensor factors = spread.factors.permute({0, 3, 4, 2, 1});  // [N, h, w, C, R]
  const torch::Tensor scaled = factors / spread.variance.permute({0, 2, 3, 1}).unsqueeze(-1);
  const int64_t rank = factors.size(-1);
  const torch::Tensor inner = torch::eye(rank, factors.options()) + factors.transpose(-1, -2).matmul(scaled);
  const torch::Tensor root = at::linalg_cholesky(inner);                                        // [N, h, w, R, R]
  const torch::Tensor u = weighted.permute({1, 3, 4, 0, 2}).matmul(factors).transpose(-1, -2);  // [N, h, w, R, M]
  const torch::Tensor solved = at::linalg_solve_triangular(root, u, /*upper=*/false);
  LowRankPart part;
  part.log_determinant = 2 * root.diagonal(0, -2, -1).log().sum(-1);
  part.square = solved.square().sum(-2).permute({3, 0, 1, 2});
  return part;
}

torch::Tensor GaussianLoss(const torch::Tensor& samples, const Scores& scores, const TensorBatch& /*batch*/) {
  const torch::Tensor centred = samples - samples.mean(2, /*keepdim=*/true);
  const torch::Tensor mean = scores.logits.to(torch::kFloat32);
  return GaussianLikelihood(mean, SpreadFrom(scores.uncertainty.to(torch::kFloat32), mean.size(1)), centred);
}

}  // namespace

torch::Tensor GaussianLikelihood(const torch::Tensor& mean, const LogitSpread& spread, const torch::Tensor& samples) {
  const torch::Tensor deviation = samples - mean;
  const torch::Tensor weighted = deviation / spread.variance;
  torch::Tensor log_determinant = spread.variance.log().sum(1);
  torch::Tensor square = (deviation * weighted).sum(2);
  if (spread.factors.defined()) {
    const LowRankPart part = LowRank(spread, weighted);
    log_determinant = log_determinant + part.log_determinant;
    square = square - part.square;
  }
  const auto classes = static_cast<double>(mean.size(1));
  return 0.5 * (kLogTwoPi + (log_determinant + square.mean(0)).mean() / classes);
}

std::unique_ptr<Objective> MakeLogitGaussianObjective(SegmentationNet net, TrainingPrecision precision,
                                                      torch::Tensor class_weights,
                                                      std::unique_ptr<TeacherSamples> teacher,
                                                      const StudentOptions& options) {
  return MakeSampleObjective(std::move(net), precision, std::move(class_weights), std::move(teacher), options,
                             GaussianLoss);
}

}  // namespace candor
