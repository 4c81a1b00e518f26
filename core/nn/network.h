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

// What the decoder reads of the encoder.
struct EncoderFeatures {
  torch::Tensor low_level;  // after layer1: [N, width, H/4, W/4]
  torch::Tensor top;        // after layer4: [N, 8 width, H/16, W/16]
};

// A network whose Forward is also to be had in two steps, for decoders that share an encoder.
class SplitNetwork : public Network {
 public:
  // `images` as for Forward.
  virtual EncoderFeatures Encode(const torch::Tensor& images) = 0;

  // `encoded`: of a network of the same form, width and precision. They are not changed.
  virtual Scores Decode(const EncoderFeatures& encoded) = 0;

  // Gives the encoder's memory back; of this network only Decode may be called from now on.
  virtual void DropEncoder() = 0;
};

}  // namespace candor
