// SPDX-License-Identifier: Apache-2.0
//
// SWAG (Maddox et al. 2019): a Gaussian over a network's weights, from the weights that SGD passed by.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/safetensors.h"

namespace candor {

// Thread-safe. Holds every iterate once more, as float32.
class SwagPosterior {
 public:
  // `iterates`: the same network's weights at K >= 2 moments, the oldest first. InvalidArgument: fewer than two, or
  // tensors that differ in names, order or shapes. May throw c10::Error.
  static absl::StatusOr<SwagPosterior> Fit(const std::vector<TensorFile>& iterates);

  // One draw, by `seed` alone (equation 1, with `scale` for its 1/2):
  //   theta = mean + sqrt(scale) (sigma z1 + D z2 / sqrt(K - 1)),   z1, z2 standard normal
  // sigma^2 = mean of squares minus square of the mean of each weight; column i of D is iterate i minus the mean of the
  // first i iterates (section 3.2). z2 is one for all tensors. Batch norm statistics and counters are the newest
  // iterate's: they belong to its weights, and have to be measured anew.
  TensorFile Draw(uint64_t seed, double scale) const;

 private:
  struct Weights {
    torch::Tensor mean, stddev;  // [n] float32
    torch::Tensor deviations;    // [K, n] float32
  };

  SwagPosterior(TensorFile newest, std::vector<Weights> weights, int64_t iterates);

  TensorFile newest_;
  std::vector<Weights> weights_;  // as newest_.tensors; undefined tensors for those that are not drawn
  int64_t iterates_;
};

}  // namespace candor
