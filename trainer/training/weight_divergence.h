// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "trainer/train_options.h"

namespace candor {

// KL(q || P) in nats, a scalar with a gradient, of weights q = N(mean, deviation^2), each independent, from the prior P
// of `options`: prior_mix N(0, prior_stddev^2) + (1 - prior_mix) N(0, prior_narrow_stddev^2) a weight (Blundell et al.
// 2015, equation 7). `mean` and `deviation` float32 of one shape.
//
// In closed form where P is one Gaussian (prior_mix 0 or 1). Else q's entropy in closed form, less ln P of one draw of
// weights from Torch's generator: an unbiased estimate with less noise than one that draws the entropy too (equation
// 2).
torch::Tensor WeightDivergence(const torch::Tensor& mean, const torch::Tensor& deviation, const BayesOptions& options);

}  // namespace candor
