// SPDX-License-Identifier: Apache-2.0
//
// The network as a sequence of fused operators for inputs of one shape.
#pragma once

#include <torch/torch.h>

#include <array>

#include "core/engine/decoder_tail.h"
#include "core/engine/folded_weights.h"
#include "core/engine/packed_conv.h"
#include "core/nn/network.h"

namespace candor {

// Layers whose weights are packed for a shape. Conv: ConvLayer, or PackedConv for one shape.
template <class Conv>
struct EncoderBlock {
  Conv conv1, conv2, downsample;
};

template <class Conv>
struct SeparableLayer {
  torch::Tensor depthwise;  // taps [9, channels] float32
  int dilation = 1;
  Conv pointwise;
};

template <class Conv>
struct NetworkLayers {
  Conv stem;
  std::array<EncoderBlock<Conv>, 8> blocks;
  Conv aspp_pointwise;
  std::array<SeparableLayer<Conv>, 3> aspp_rates;
  Conv aspp_project;  // without the pooled branch, whose share is a bias
  SeparableLayer<Conv> refine;
  Conv low_level;
};

// The pooled branch of the pyramid, float32. After its ReLU it is one vector a picture, so that its part of the
// projection is a bias.
struct PooledBranch {
  torch::Tensor weight, bias;  // of its own convolution: [in, out], [out]
  torch::Tensor project;       // its columns of the projection: [out, projected]
  torch::Tensor project_bias;  // [projected]

  // top [n, in, h, w] NHWC -> the projection's bias for each picture, [n, projected].
  torch::Tensor ProjectionBias(const torch::Tensor& top) const;
};

// What is the same for every shape.
struct ShapelessLayers {
  // `type`: what the layers compute in, kFloat or kBFloat16.
  ShapelessLayers(const FoldedWeights& weights, torch::ScalarType type);

  PooledBranch pooled;
  DecoderTail tail;
};

NetworkLayers<ConvLayer> MakeLayers(const FoldedWeights& weights, torch::ScalarType type);

// Thread-compatible. Throws c10::Error.
class Plan {
 public:
  // For images [n, 3, height, width], height and width multiples of 16. `shapeless` is borrowed.
  Plan(int64_t n, int64_t height, int64_t width, NetworkLayers<ConvLayer>* layers, const ShapelessLayers* shapeless);

  // images NHWC, of the type of the layers -> [n, classes + uncertainty channels, height / 4, width / 4] float32, NHWC.
  // Maps between operators come from Torch's allocator, which the members of an ensemble share: a plan that kept its
  // own would hold them once a member.
  torch::Tensor Run(const torch::Tensor& images) const;

 private:
  torch::Tensor Pyramid(const torch::Tensor& top) const;

  NetworkLayers<PackedConv> layers_;
  const ShapelessLayers* shapeless_;
};

}  // namespace candor
