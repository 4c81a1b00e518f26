// SPDX-License-Identifier: Apache-2.0
//
// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3): a quarter of the products of the direct form, which is all
// that oneDNN has on x86. Its weights take four times the memory.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "core/engine/packed_conv.h"

namespace candor {

// For inputs of any shape. Results do not depend on the number of threads, nor on the other pictures of a batch.
// Copies share their weights. Thread-safe. Throws c10::Error.
class WinogradConv {
 public:
  // Whether it can take such a convolution, and is faster than the direct form on this processor. `weight` [out, in, k,
  // k]; `type`: of the maps. In bfloat16 the transformed inputs and weights are rounded, too: an error of 1.0 to 1.3
  // percent of the results' standard deviation.
  static bool Suits(const torch::Tensor& weight, const ConvGeometry& geometry, torch::ScalarType type);

  // `weight` and `bias` [out] float32, in the form that Suits wants, whatever the processor; `type`: of the maps,
  // kFloat or kBFloat16 (where HasNativeBf16 only).
  WinogradConv(const torch::Tensor& weight, torch::Tensor bias, const ConvGeometry& geometry, torch::ScalarType type);

  // As PackedConv.
  torch::Tensor Run(const torch::Tensor& x, Activation activation) const;
  void AddTo(const torch::Tensor& x, torch::Tensor& sum) const;

 private:
  class Weights;

  std::shared_ptr<const Weights> weights_;
};

}  // namespace candor
