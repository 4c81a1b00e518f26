// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/weight_divergence.h"

#include <cmath>

namespace candor {
namespace {

const double kLogRootTwoPi = 0.5 * std::log(8 * std::atan(1.0));

torch::Tensor LogNormal(const torch::Tensor& w, double stddev) {
  return w.square() * (-0.5 / (stddev * stddev)) - (std::log(stddev) + kLogRootTwoPi);
}

torch::Tensor FromGaussian(const torch::Tensor& mean, const torch::Tensor& deviation, double stddev) {
  const torch::Tensor squares = (mean.square() + deviation.square()) * (0.5 / (stddev * stddev));
  return (squares - deviation.log() + (std::log(stddev) - 0.5)).sum();
}

}  // namespace

torch::Tensor WeightDivergence(const torch::Tensor& mean, const torch::Tensor& deviation, const BayesOptions& options) {
  if (options.prior_mix == 1) return FromGaussian(mean, deviation, options.prior_stddev);
  if (options.prior_mix == 0) return FromGaussian(mean, deviation, options.prior_narrow_stddev);
  const torch::Tensor draw = mean + deviation * torch::randn_like(mean);
  const torch::Tensor prior =
      torch::logaddexp(LogNormal(draw, options.prior_stddev) + std::log(options.prior_mix),
                       LogNormal(draw, options.prior_narrow_stddev) + std::log1p(-options.prior_mix));
  return (-deviation.log() - (0.5 + kLogRootTwoPi) - prior).sum();
}

}  // namespace candor
