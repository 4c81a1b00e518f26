// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/nn/fitted_head.h"

namespace candor {

// First and second moments of feature vectors of each class, in double, in one pass: memory is C d^2.
// Thread-compatible.
class ClassMoments {
 public:
  ClassMoments(int64_t classes, int64_t channels, torch::Device device);

  // rows [n, d] float32, labels [n] int64: a class, or anything else for rows that are left out.
  void Add(const torch::Tensor& rows, const torch::Tensor& labels);

  const std::vector<int64_t>& counts() const { return counts_; }

  // A Gaussian a class, with the share of its rows as its weight: mean mu_c, and the covariance
  //
  //   Sigma_c = (1 - w_c) S_c + w_c S + 1e-4 mean(diag S) I,  w_c = k / (k + n_c),
  //
  // of the class's own covariance S_c and the pooled one S = sum_c n_c S_c / N: a class of few rows n_c has nearly the
  // pooled covariance (regularised discriminant analysis, Friedman 1989), and the last term bounds what a direction
  // without variance, such as a dead channel, may say. A class of no rows has weight 0. `components` k: densities are
  // those of the features' projections on the k directions in which all rows together vary most; 0: all d.
  // FailedPrecondition: no rows, or rows that are all the same.
  absl::StatusOr<ClassGaussians> Gaussians(int64_t components) const;

 private:
  std::vector<int64_t> counts_;
  torch::Tensor sums_;      // [C, d] double
  torch::Tensor products_;  // [C, d, d] double, of x x^T
};

}  // namespace candor
