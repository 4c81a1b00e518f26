// SPDX-License-Identifier: Apache-2.0
#include "core/nn/gaussian_weights.h"

#include "core/nn/convolve.h"

namespace candor {
namespace {

constexpr double kUsualShare = 0.05;
// Under the root: its gradient stays finite where a variance is 0, as over black padding.
constexpr double kLeastVariance = 1e-12;

}  // namespace

torch::Tensor DeviationOf(const torch::Tensor& rho) { return torch::softplus(rho); }

void MakeWeightsGaussian(torch::nn::Module& module) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    auto* conv = child->as<torch::nn::Conv2d>();
    if (conv != nullptr) conv->register_parameter(kWeightRho, torch::zeros_like(conv->weight));
  }
  SetDeviations(module, kUsualShare);
}

void SetDeviations(torch::nn::Module& module, double share) {
  const torch::NoGradGuard no_grad;
  for (const auto& child : module.modules(/*include_self=*/false)) {
    auto* conv = child->as<torch::nn::Conv2d>();
    if (conv == nullptr) continue;
    auto parameters = conv->named_parameters(/*recurse=*/false);
    if (torch::Tensor* rho = parameters.find(kWeightRho)) {
      const torch::Tensor deviation = share * conv->weight.to(torch::kFloat64).std(/*unbiased=*/false);
      rho->fill_(torch::log(torch::expm1(deviation)));
    }
  }
}

torch::Tensor ConvolveByDraw(torch::nn::Conv2d& conv, const torch::Tensor& rho, const torch::Tensor& x) {
  const torch::Tensor mean = ConvolveWith(conv->options, x, conv->weight, conv->bias);
  const torch::Tensor variance = ConvolveWith(conv->options, x.square(), DeviationOf(rho).square(), {});
  return mean + (variance + kLeastVariance).sqrt() * torch::randn_like(mean);
}

}  // namespace candor
