// SPDX-License-Identifier: Apache-2.0
#include "core/nn/fold_norm.h"

#include "core/nn/segmentation_net.h"

namespace candor {

torch::Tensor ConvNorm(torch::nn::Conv2d& conv, torch::nn::BatchNorm2d& norm, const torch::Tensor& x) {
  const torch::Tensor y = conv(x);
  return conv->bias.defined() ? y : norm(y);
}

void FoldNorm(torch::nn::Conv2d& conv, torch::nn::BatchNorm2d& norm) {
  TORCH_CHECK(!conv->bias.defined(), "batch norm: is folded already");
  torch::NoGradGuard no_grad;
  const torch::Tensor scale = norm->weight / torch::sqrt(norm->running_var + norm->options.eps());
  conv->weight.mul_(scale.reshape({-1, 1, 1, 1}));
  conv->bias = norm->bias - norm->running_mean * scale;
}

void FoldNorms(SegmentationNetImpl& net) {
  for (const auto& module : net.modules(/*include_self=*/false)) {
    if (auto* foldable = dynamic_cast<FoldableNorms*>(module.get())) foldable->FoldNorms();
  }
}

}  // namespace candor
