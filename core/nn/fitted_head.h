// SPDX-License-Identifier: Apache-2.0
//
// Heads that are fitted on data after training. They have buffers and no parameters.
#pragma once

#include <torch/torch.h>

#include "core/nn/uncertainty_head.h"

namespace candor {

// Gives (u - median) / spread of a score u that is high where the network is unsure and has no natural range: after the
// sigmoid a value in [0, 1] with 0.5 at the median, in the order of u. Buffer "scale" [2]: median and spread, float32;
// 0 and 1 before a fit.
class FittedHead : public UncertaintyHeadModule {
 public:
  FittedHead();

  // `spread` > 0.
  void SetScale(double median, double spread);

  torch::Tensor Forward(const torch::Tensor& features, const torch::Tensor& logits) final;

 private:
  // u [N, 1, h, w].
  virtual torch::Tensor Score(const torch::Tensor& features, const torch::Tensor& logits) = 0;

  torch::Tensor scale_;
};

// The free energy of the class scores s at temperature 1: u = -ln sum_c exp(s_c) (Liu, Wang, Owens, Li 2020,
// "Energy-based Out-of-distribution Detection", equation 4; the energy, not its negative, is high out of distribution).
// Scores are the network's own: a calibrated temperature changes nothing. Does not look at `features`, which may be
// undefined.
class EnergyHead : public FittedHead {
 private:
  torch::Tensor Score(const torch::Tensor& features, const torch::Tensor& logits) override;
};

// Gaussians N(mu_c, Sigma_c) in R^d with weights pi_c, in the form that evaluates them: over a projection P [k, d] of
// the features, with L_c L_c^T = P Sigma_c P^T.
struct ClassGaussians {
  torch::Tensor whiten;  // [C, k, d], L_c^-1 P
  torch::Tensor offset;  // [C, k], L_c^-1 P mu_c
  torch::Tensor weight;  // [C], ln pi_c - ln det L_c - k/2 ln 2 pi
};

// Deep deterministic uncertainty (Mukhoti et al. 2023, algorithm 1): u = -ln sum_c pi_c N(f; mu_c, Sigma_c) of the
// decoder's feature vector f of a pixel. Does not look at `logits`. C matrix products [k, d] a pixel, one class after
// the other, so that memory does not grow with C.
class FeatureDensityHead : public FittedHead {
 public:
  // `components`: k, at most `channels`, which is d.
  FeatureDensityHead(int64_t channels, int64_t classes, int64_t components);

  // Throws c10::Error on other shapes.
  void SetGaussians(const ClassGaussians& gaussians);

 private:
  torch::Tensor Score(const torch::Tensor& features, const torch::Tensor& logits) override;

  ClassGaussians gaussians_;
};

}  // namespace candor
