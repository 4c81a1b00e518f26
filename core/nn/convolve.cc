// SPDX-License-Identifier: Apache-2.0
#include "core/nn/convolve.h"

#include <variant>

#include "core/nn/depthwise_conv.h"
#include "core/nn/gaussian_weights.h"
#include "core/nn/rank_one.h"

namespace candor {
namespace {

using ConvOptions = torch::nn::detail::ConvNdOptions<2>;

// Without dilation oneDNN has a kernel of its own.
bool IsDilatedDepthwise(const ConvOptions& options) {
  return options.groups() > 1 && options.groups() == options.in_channels() && options.dilation()->at(0) > 1;
}

}  // namespace

torch::Tensor ConvolveWith(const ConvOptions& options, const torch::Tensor& x, const torch::Tensor& weight,
                           const torch::Tensor& bias) {
  if (IsDilatedDepthwise(options) && !bias.defined() && HasDepthwiseConv(x)) {
    return DepthwiseConv(x, weight, options.dilation()->at(0));
  }
  return torch::conv2d(x, weight, bias, options.stride(), std::get<torch::ExpandingArray<2>>(options.padding()),
                       options.dilation(), options.groups());
}

torch::Tensor Convolve(torch::nn::Conv2d& conv, const torch::Tensor& x) {
  const auto parameters = conv->named_parameters(/*recurse=*/false);
  const torch::Tensor* rho = parameters.find(kWeightRho);
  if (rho != nullptr && conv->is_training()) return ConvolveByDraw(conv, *rho, x);
  if (const torch::Tensor* r = parameters.find(kOutFactors)) {
    return ConvolveByMember(conv, *r, parameters[kInFactors], x);
  }
  return ConvolveWith(conv->options, x, conv->weight, conv->bias);
}

}  // namespace candor
