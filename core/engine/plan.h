// SPDX-License-Identifier: Apache-2.0
//
// The network as a sequence of fused operators for inputs of one shape.
#pragma once

#include <torch/torch.h>

#include <array>

#include "core/engine/conv_layer.h"
#include "core/engine/decoder_tail.h"
#include "core/engine/encoder_shape.h"
#include "core/engine/folded_weights.h"
#include "core/engine/packed_conv.h"
#include "core/engine/pooled_branch.h"
#include "core/nn/network.h"

namespace candor {

// Layers whose weights are packed for a shape. Conv: ConvLayer or PackedConvLayer, and ShapedConv or PackedConv for
// one.
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
struct EncoderLayers {
  Conv stem;
  std::array<EncoderBlock<Conv>, kEncoderBlocks> blocks;
};

template <class Conv>
struct DecoderLayers {
  Conv aspp_pointwise;
  std::array<SeparableLayer<Conv>, 3> aspp_rates;
  Conv aspp_project;  // without the pooled branch, whose share is a bias
  SeparableLayer<Conv> refine;
  Conv low_level;
};

// What is the same for every shape.
struct ShapelessLayers {
  // `type`: what the layers compute in, kFloat or kBFloat16.
  ShapelessLayers(const FoldedWeights& weights, torch::ScalarType type);

  PooledBranch pooled;
  DecoderTail tail;
};

EncoderLayers<ConvLayer> MakeEncoderLayers(const FoldedWeights& weights, torch::ScalarType type);
DecoderLayers<PackedConvLayer> MakeDecoderLayers(const FoldedWeights& weights, torch::ScalarType type);

// The encoder, for images of one shape. Maps between operators come from Torch's allocator, which the members of an
// ensemble share: a plan that kept its own would hold them once a member. Thread-compatible. Throws c10::Error.
class EncoderPlan {
 public:
  // For images [n, 3, height, width], height and width multiples of 16.
  EncoderPlan(int64_t n, int64_t height, int64_t width, EncoderLayers<ConvLayer>* layers);

  // images NHWC, of the type of the layers -> features of that type, NHWC. `observe` may be null.
  EncoderFeatures Run(const torch::Tensor& images, const MapObserver& observe) const;

 private:
  EncoderLayers<ShapedConv> layers_;
};

// The decoder and the heads, for the same shape. As above.
class DecoderPlan {
 public:
  // `shapeless` is borrowed.
  DecoderPlan(int64_t n, int64_t height, int64_t width, DecoderLayers<PackedConvLayer>* layers,
              const ShapelessLayers* shapeless);

  // -> [n, classes + uncertainty channels, height / 4, width / 4] float32, NHWC. The features stay as they are.
  torch::Tensor Run(const EncoderFeatures& features) const;

 private:
  torch::Tensor Pyramid(const torch::Tensor& top) const;

  DecoderLayers<PackedConv> layers_;
  const ShapelessLayers* shapeless_;
};

}  // namespace candor
