// SPDX-License-Identifier: Apache-2.0
//
// The end of the decoder, some rows at a time: upsampling, concatenation, depthwise and pointwise convolution, heads.
// None of the maps of 256 and 304 channels between them is ever written out, and the heads' scores stay float32.
#pragma once

#include <torch/torch.h>

#include "core/engine/folded_weights.h"
#include "core/engine/packed_matrix.h"

namespace candor {

// For any shape. Thread-safe. Throws c10::Error.
class DecoderTail {
 public:
  // `type`: of the maps, kFloat or kBFloat16.
  DecoderTail(const FoldedSeparable& merge, const FoldedConv& heads, torch::ScalarType type);

  // context [n, c, h, w], low_level [n, l, 4 h, 4 w], both NHWC -> all scores [n, classes + uncertainty channels, 4 h,
  // 4 w] float32, NHWC. Rows are shared out among Torch's threads.
  torch::Tensor Run(const torch::Tensor& context, const torch::Tensor& low_level) const;

 private:
  class Scratch;
  // All pixels of some rows of one picture, from the depthwise convolution's results in the scratch.
  void Score(int64_t pixels, Scratch* scratch, float* scores, int64_t score_stride) const;

  torch::ScalarType type_;
  torch::Tensor depthwise_;  // [9, c + l] float32
  PackedMatrix pointwise_, heads_;
  torch::Tensor pointwise_bias_, heads_bias_;  // float32
};

}  // namespace candor
