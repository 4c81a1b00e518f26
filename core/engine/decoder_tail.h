// SPDX-License-Identifier: Apache-2.0
//
// The end of the decoder, a row at a time: neither the depthwise convolution's map of 304 channels nor the 256 of the
// pointwise one is ever written out, and the heads' scores stay float32.
#pragma once

#include <torch/torch.h>

#include "core/engine/depthwise_layer.h"
#include "core/engine/folded_weights.h"
#include "core/engine/packed_matrix.h"

namespace candor {

// For any shape. Thread-safe. Throws c10::Error.
class DecoderTail {
 public:
  // `type`: of the maps, kFloat or kBFloat16.
  DecoderTail(const FoldedSeparable& merge, const FoldedConv& heads, torch::ScalarType type);

  // merged [n, context + low-level channels, h, w] NHWC -> all scores [n, classes + uncertainty channels, h, w]
  // float32, NHWC. Rows are shared out among Torch's threads.
  torch::Tensor Run(const torch::Tensor& merged) const;

 private:
  class Scratch;
  void RunRow(const torch::Tensor& merged, int64_t picture, int64_t row, Scratch* scratch,
              const torch::Tensor& scores) const;

  torch::ScalarType type_;
  DepthwiseLayer depthwise_;
  PackedMatrix pointwise_, heads_;
  torch::Tensor pointwise_bias_, heads_bias_;  // float32
};

}  // namespace candor
