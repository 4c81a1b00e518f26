// SPDX-License-Identifier: Apache-2.0
#include "core/nn/fold_norm.h"

#include "core/nn/convolve.h"
#include "core/nn/segmentation_net.h"

namespace candor {

torch::Tensor ConvNorm(torch::nn::Conv2d& conv, torch::nn::BatchNorm2d& norm, const torch::Tensor& x) {
  const torch::Tensor y = Convolve(conv, x);
  return conv->bias.defined() ? y : norm(y);
}

FoldedNorm::FoldedNorm(const torch::Tensor& weight, const torch::Tensor& bias, const torch::Tensor& running_mean,
                       const torch::Tensor& running_var, double eps)
    : scale(weight / torch::sqrt(running_var + eps)), shift(bias - running_mean * scale) {}

void FoldNorm(torch::nn::Conv2d& conv, torch::nn::BatchNorm2d& norm) {
  TORCH_CHECK(!conv->bias.defined(), "batch norm: is folded already");
  torch::NoGradGuard no_grad;
  const FoldedNorm folded(norm->weight, norm->bias, norm->running_mean, norm->running_var, norm->options.eps());
  conv->weight.mul_(folded.scale.reshape({-1, 1, 1, 1}));
  conv->bias = folded.shift;
}

void FoldNorms(SegmentationNetImpl& net) {
  for (const auto& module : net.modules(/*include_self=*/false)) {
    if (auto* foldable = dynamic_cast<FoldableNorms*>(module.get())) foldable->FoldNorms();
  }
}

void PrepareForInference(SegmentationNetImpl& net) {
  for (torch::Tensor& parameter : net.parameters()) {
    parameter.set_requires_grad(false);
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  FoldNorms(net);
}

}  // namespace candor
