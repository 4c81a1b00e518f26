// SPDX-License-Identifier: Apache-2.0
//
// Convolutions whose weights are Gaussians: w ~ N(weight, softplus(weight_rho)^2), each independent (Blundell et al.
// 2015, section 3.2). Biases and batch norms stay numbers.
#pragma once

#include <torch/torch.h>

namespace candor {

// The further parameter of such a convolution, of the shape of `weight`.
inline constexpr char kWeightRho[] = "weight_rho";

// softplus(rho), the deviations. float16 keeps them to 2^-8 of themselves down to 1e-7.
torch::Tensor DeviationOf(const torch::Tensor& rho);

// Gives every convolution below `module` a weight_rho, with the deviations that SetDeviations gives for a share of
// 0.05. To be called once.
void MakeWeightsGaussian(torch::nn::Module& module);

// Every deviation becomes `share` (above 0) of the standard deviation of its layer's means, which it is small against
// whatever the layer's size is.
void SetDeviations(torch::nn::Module& module, double share);

// A convolution of x by local reparameterisation (Kingma et al. 2015, equation 6; for convolutions Shridhar et al.
// 2019, section 3): y = conv(x, w) + sqrt(conv(x^2, s^2)) e with deviations s = DeviationOf(rho) and e ~ N(0, 1) from
// Torch's generator. e is drawn for each picture, channel and pixel: marginals are those of one draw of weights,
// correlations between pixels are left out. Differentiable.
torch::Tensor ConvolveByDraw(torch::nn::Conv2d& conv, const torch::Tensor& rho, const torch::Tensor& x);

}  // namespace candor
