// SPDX-License-Identifier: Apache-2.0
//
// Convolutions that M members share: member m's weight is W times r_m s_m^T, a factor for each channel that goes out
// and one for each that comes in (BatchEnsemble, Wen et al. 2020, equation 2). Biases and batch norms are one for all.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace candor {

// The further parameters of such a convolution: r [M, out] and s [M, in].
inline constexpr char kOutFactors[] = "r";
inline constexpr char kInFactors[] = "s";

// Gives every convolution below `module` its factors of `members` (at least 2), drawn from N(1, 0.5^2) by Torch's
// generator as in the authors' code. To be called once.
void ShareWeights(torch::nn::Module& module, int64_t members);

// A convolution of x [N, in, H, W] in which picture i is seen by member i mod M (equation 5): conv(x s) r + bias.
torch::Tensor ConvolveByMember(torch::nn::Conv2d& conv, const torch::Tensor& r, const torch::Tensor& s,
                               const torch::Tensor& x);

// W times r_m s_m^T, of the shape of `weight`; r [out] and s [in] are one member's. A depthwise convolution's channel
// has both its factors.
torch::Tensor MemberWeight(const torch::Tensor& weight, const torch::Tensor& r, const torch::Tensor& s);

}  // namespace candor
