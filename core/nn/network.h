// SPDX-License-Identifier: Apache-2.0
//
// What a predictor sees of a network, whether it is the readable module or a compiled form of it.
#pragma once

#include <torch/torch.h>

namespace candor {

// Scores of a batch at a quarter of the padded size, before upsampling: h = H / 4, w = W / 4.
struct Scores {
  torch::Tensor logits;       // [N, C, h, w] float32
  torch::Tensor uncertainty;  // [N, K, h, w] float32, before the sigmoid; undefined without an uncertainty head
};

// Thread-compatible: one Forward at a time.
class Network {
 public:
  virtual ~Network() = default;

  // images [N, 3, H, W] float32, normalised, H and W multiples of 16. Throws c10::Error on any other shape or dtype.
  virtual Scores Forward(const torch::Tensor& images) = 0;
};

}  // namespace candor
