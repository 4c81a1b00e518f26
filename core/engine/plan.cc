// SPDX-License-Identifier: Apache-2.0
#include "core/engine/plan.h"

#include <utility>

#include "core/nn/depthwise_conv.h"

namespace candor {
namespace {

using torch::Tensor;

SeparableLayer<PackedConvLayer> Separable(const FoldedSeparable& weights, int dilation, torch::ScalarType type) {
  return {DepthwiseTaps(weights.depthwise), dilation,
          PackedConvLayer(weights.pointwise.weight, weights.pointwise.bias, {}, type)};
}

SeparableLayer<PackedConv> PackFor(SeparableLayer<PackedConvLayer>* layer, torch::IntArrayRef shape) {
  return {layer->depthwise, layer->dilation, layer->pointwise.PackFor(shape)};
}

Tensor RunSeparable(const SeparableLayer<PackedConv>& layer, const Tensor& x) {
  return layer.pointwise.Run(DepthwiseConvByTaps(x, layer.depthwise, layer.dilation), Activation::kRelu);
}

// Overwrites x where the block keeps its shape. Shows what it stores.
template <class Show>
Tensor RunBlock(const EncoderBlock<ShapedConv>& block, bool has_downsample, Tensor x, const Show& show) {
  const Tensor inner = block.conv1.Run(x, Activation::kRelu);
  show(inner);
  Tensor sum = x;
  if (has_downsample) {
    sum = block.downsample.Run(x, Activation::kNone);
    show(sum);
  }
  block.conv2.AddTo(inner, sum);
  show(sum);
  return sum;
}

}  // namespace

ShapelessLayers::ShapelessLayers(const FoldedWeights& weights, torch::ScalarType type)
    : pooled(weights, torch::kCPU), tail(weights.merge, weights.heads, type) {}

EncoderLayers<ConvLayer> MakeEncoderLayers(const FoldedWeights& weights, torch::ScalarType type) {
  const auto conv = [type](const FoldedConv& folded, const ConvGeometry& geometry) {
    return ConvLayer(folded.weight, folded.bias, geometry, type);
  };
  EncoderLayers<ConvLayer> layers;
  layers.stem = conv(weights.stem, {2, 3, 1});
  for (size_t i = 0; i < layers.blocks.size(); ++i) {
    const FoldedBlock& block = weights.blocks[i];
    const BlockGeometry geometry(i);
    layers.blocks[i].conv1 = conv(block.conv1, geometry.conv1);
    layers.blocks[i].conv2 = conv(block.conv2, geometry.conv2);
    if (StartsStage(i)) layers.blocks[i].downsample = conv(block.downsample, geometry.downsample);
  }
  return layers;
}

DecoderLayers<PackedConvLayer> MakeDecoderLayers(const FoldedWeights& weights, torch::ScalarType type) {
  const auto conv = [type](const FoldedConv& folded) { return PackedConvLayer(folded.weight, folded.bias, {}, type); };
  DecoderLayers<PackedConvLayer> layers;
  layers.aspp_pointwise = conv(weights.aspp_pointwise);
  for (size_t i = 0; i < kAsppRates.size(); ++i) {
    layers.aspp_rates[i] = Separable(weights.aspp_rates[i], kAsppRates[i], type);
  }
  layers.aspp_project = PackedConvLayer(ProjectionWithoutPooled(weights), weights.aspp_project.bias, {}, type);
  layers.refine = Separable(weights.refine, 1, type);
  layers.low_level = conv(weights.low_level);
  return layers;
}

EncoderPlan::EncoderPlan(int64_t n, int64_t height, int64_t width, EncoderLayers<ConvLayer>* layers) {
  // Shapes follow the maps through the network.
  std::array<int64_t, 4> shape = {n, 3, height, width};
  const auto pack = [&shape](ConvLayer* layer, int64_t stride = 1) {
    ShapedConv packed = layer->PackFor(shape);
    shape = {shape[0], layer->out_channels(), shape[2] / stride, shape[3] / stride};
    return packed;
  };
  layers_.stem = pack(&layers->stem, 2);
  shape = {n, shape[1], height / 4, width / 4};
  for (size_t i = 0; i < layers->blocks.size(); ++i) {
    EncoderBlock<ConvLayer>& block = layers->blocks[i];
    if (StartsStage(i)) layers_.blocks[i].downsample = block.downsample.PackFor(shape);
    layers_.blocks[i].conv1 = pack(&block.conv1, BlockGeometry(i).conv1.stride);
    layers_.blocks[i].conv2 = pack(&block.conv2);
  }
}

EncoderFeatures EncoderPlan::Run(const Tensor& images, const MapObserver& observe) const {
  size_t next = 0;
  const auto show = [&](const Tensor& map) {
    if (observe != nullptr) observe(next, map);
    ++next;
  };
  Tensor x = PoolStem(layers_.stem.Run(images, Activation::kRelu));
  show(x);
  EncoderFeatures features;
  for (size_t i = 0; i < layers_.blocks.size(); ++i) {
    x = RunBlock(layers_.blocks[i], StartsStage(i), std::move(x), show);
    if (i == 1) features.low_level = x;  // the next block starts a stage, and so overwrites nothing
  }
  features.top = std::move(x);
  return features;
}

DecoderPlan::DecoderPlan(int64_t n, int64_t height, int64_t width, DecoderLayers<PackedConvLayer>* layers,
                         const ShapelessLayers* shapeless)
    : shapeless_(shapeless) {
  const std::array<int64_t, 4> top = {n, layers->aspp_pointwise.in_channels(), height / 16, width / 16};
  layers_.aspp_pointwise = layers->aspp_pointwise.PackFor(top);
  for (size_t i = 0; i < kAsppRates.size(); ++i) layers_.aspp_rates[i] = candor::PackFor(&layers->aspp_rates[i], top);
  layers_.aspp_project = layers->aspp_project.PackFor({1, layers->aspp_project.in_channels(), top[2], top[3]});
  layers_.refine = candor::PackFor(&layers->refine, {n, layers->refine.pointwise.in_channels(), top[2], top[3]});
  layers_.low_level = layers->low_level.PackFor({n, layers->low_level.in_channels(), height / 4, width / 4});
}

Tensor DecoderPlan::Run(const EncoderFeatures& features) const {
  const Tensor low_level = layers_.low_level.Run(features.low_level, Activation::kRelu);
  const Tensor context = RunSeparable(layers_.refine, Pyramid(features.top));
  return shapeless_->tail.Run(context, low_level);
}

Tensor DecoderPlan::Pyramid(const Tensor& top) const {
  const Tensor pyramid =
      torch::cat({layers_.aspp_pointwise.Run(top, Activation::kRelu), RunSeparable(layers_.aspp_rates[0], top),
                  RunSeparable(layers_.aspp_rates[1], top), RunSeparable(layers_.aspp_rates[2], top)},
                 1);
  const Tensor bias = shapeless_->pooled.ProjectionBias(top);
  std::vector<Tensor> projected;
  for (int64_t n = 0; n < top.size(0); ++n) {
    projected.push_back(layers_.aspp_project.Run(pyramid.narrow(0, n, 1), bias[n], Activation::kRelu));
  }
  return projected.size() == 1 ? projected[0] : torch::cat(projected);
}

}  // namespace candor
