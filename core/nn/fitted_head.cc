// SPDX-License-Identifier: Apache-2.0
#include "core/nn/fitted_head.h"

namespace candor {

FittedHead::FittedHead() : scale_(register_buffer("scale", torch::tensor({0.0f, 1.0f}))) {}

void FittedHead::SetScale(double median, double spread) {
  const torch::NoGradGuard no_grad;
  scale_.copy_(torch::tensor({median, spread}));
}

torch::Tensor FittedHead::Forward(const torch::Tensor& features, const torch::Tensor& logits) {
  return (Score(features, logits) - scale_[0]) / scale_[1];
}

torch::Tensor EnergyHead::Score(const torch::Tensor& /*features*/, const torch::Tensor& logits) {
  return -torch::logsumexp(Undivided(logits), 1, /*keepdim=*/true);
}

FeatureDensityHead::FeatureDensityHead(int64_t channels, int64_t classes, int64_t components) {
  gaussians_.whiten = register_buffer("whiten", torch::zeros({classes, components, channels}));
  gaussians_.offset = register_buffer("offset", torch::zeros({classes, components}));
  gaussians_.weight = register_buffer("weight", torch::zeros({classes}));
}

void FeatureDensityHead::SetGaussians(const ClassGaussians& gaussians) {
  const torch::NoGradGuard no_grad;
  const auto copy = [](const torch::Tensor& from, torch::Tensor to) {
    TORCH_CHECK(from.sizes() == to.sizes(), "gaussians: want ", to.sizes(), ", got ", from.sizes());
    to.copy_(from);
  };
  copy(gaussians.whiten, gaussians_.whiten);
  copy(gaussians.offset, gaussians_.offset);
  copy(gaussians.weight, gaussians_.weight);
}

torch::Tensor FeatureDensityHead::Score(const torch::Tensor& features, const torch::Tensor& /*logits*/) {
  const int64_t n = features.size(0), height = features.size(2), width = features.size(3);
  const torch::Tensor rows = features.permute({0, 2, 3, 1}).reshape({-1, features.size(1)}).to(torch::kFloat32);
  torch::Tensor total;  // ln sum_c
  for (int64_t c = 0; c < gaussians_.weight.size(0); ++c) {
    torch::Tensor white = torch::addmm(gaussians_.offset[c], rows, gaussians_.whiten[c].t(), /*beta=*/-1);
    const torch::Tensor density = gaussians_.weight[c] - white.square_().sum(1) / 2;
    total = total.defined() ? torch::logaddexp(total, density) : density;
  }
  return -total.reshape({n, 1, height, width});
}

}  // namespace candor
