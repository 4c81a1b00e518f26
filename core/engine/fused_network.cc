// SPDX-License-Identifier: Apache-2.0
#include "core/engine/fused_network.h"

#include <array>
#include <utility>

#include "core/engine/encoder_shape.h"

namespace candor {
namespace {

using torch::Tensor;

class CudnnOperators : public FusedOperators {
 public:
  Tensor ConvRelu(const Tensor& x, const FoldedConv& conv, const ConvGeometry& g) const override {
    return at::cudnn_convolution_relu(x, conv.weight, conv.bias, {g.stride, g.stride}, {g.padding, g.padding},
                                      {g.dilation, g.dilation}, /*groups=*/1);
  }
  Tensor ConvAddRelu(const Tensor& x, const FoldedConv& conv, const ConvGeometry& g, const Tensor& sum) const override {
    return at::cudnn_convolution_add_relu(x, conv.weight, sum, /*alpha=*/1, conv.bias, {g.stride, g.stride},
                                          {g.padding, g.padding}, {g.dilation, g.dilation}, /*groups=*/1);
  }
};

Tensor Convolve(const Tensor& x, const FoldedConv& conv, const ConvGeometry& g) {
  return torch::conv2d(x, conv.weight, conv.bias, g.stride, g.padding, g.dilation);
}

class PlainOperators : public FusedOperators {
 public:
  Tensor ConvRelu(const Tensor& x, const FoldedConv& conv, const ConvGeometry& geometry) const override {
    return torch::relu(Convolve(x, conv, geometry));
  }
  Tensor ConvAddRelu(const Tensor& x, const FoldedConv& conv, const ConvGeometry& geometry,
                     const Tensor& sum) const override {
    return torch::relu(Convolve(x, conv, geometry) + sum);
  }
};

// Moves weights to where they compute, in one place for all layers.
class Mover {
 public:
  Mover(torch::Device device, torch::ScalarType type) : device_(device), type_(type) {}

  void operator()(FoldedConv* conv) const { Move(type_, conv); }
  void operator()(FoldedSeparable* layer) const {
    layer->depthwise = Laid(layer->depthwise, type_);
    Move(type_, &layer->pointwise);
  }
  void InFloat(FoldedConv* conv) const { Move(torch::kFloat, conv); }
  Tensor Laid(const Tensor& weight, torch::ScalarType type) const {
    return weight.to(device_, type).contiguous(torch::MemoryFormat::ChannelsLast);
  }

 private:
  void Move(torch::ScalarType type, FoldedConv* conv) const {
    if (!conv->weight.defined()) return;
    conv->weight = Laid(conv->weight, type);
    conv->bias = conv->bias.to(device_, type);
  }

  torch::Device device_;
  torch::ScalarType type_;
};

FoldedWeights MovedTo(FoldedWeights weights, torch::Device device, torch::ScalarType type) {
  const Mover move(device, type);
  move(&weights.stem);
  for (FoldedBlock& block : weights.blocks) {
    move(&block.conv1);
    move(&block.conv2);
    move(&block.downsample);
  }
  move(&weights.aspp_pointwise);
  for (FoldedSeparable& layer : weights.aspp_rates) move(&layer);
  move(&weights.refine);
  move(&weights.low_level);
  move(&weights.merge);
  move.InFloat(&weights.heads);
  weights.aspp_pool = {};
  weights.aspp_project = {};
  return weights;
}

}  // namespace

std::unique_ptr<FusedOperators> OperatorsFor(torch::Device device) {
  if (device.is_cuda()) return std::make_unique<CudnnOperators>();
  return std::make_unique<PlainOperators>();
}

FusedNetwork::FusedNetwork(const SegmentationNetImpl& net, torch::Device device, torch::ScalarType type)
    : FusedNetwork(FoldWeights(net), device, type) {}

FusedNetwork::FusedNetwork(FoldedWeights weights, torch::Device device, torch::ScalarType type)
    : type_(type),
      pooled_(weights, device),
      project_(Mover(device, type).Laid(ProjectionWithoutPooled(weights), type)),
      weights_(MovedTo(std::move(weights), device, type)),
      operators_(OperatorsFor(device)) {}

Tensor FusedNetwork::Block(size_t index, const Tensor& x) const {
  const FoldedBlock& block = weights_.blocks[index];
  const BlockGeometry geometry(index);
  const Tensor sum = StartsStage(index) ? Convolve(x, block.downsample, geometry.downsample) : x;
  return operators_->ConvAddRelu(operators_->ConvRelu(x, block.conv1, geometry.conv1), block.conv2, geometry.conv2,
                                 sum);
}

EncoderFeatures FusedNetwork::Encode(const Tensor& images) {
  const torch::InferenceMode inference;
  const Tensor typed = images.to(type_, /*non_blocking=*/false, /*copy=*/false, torch::MemoryFormat::ChannelsLast);
  Tensor x = torch::max_pool2d(operators_->ConvRelu(typed, weights_.stem, {2, 3, 1}), /*kernel_size=*/3, /*stride=*/2,
                               /*padding=*/1);
  EncoderFeatures features;
  for (size_t i = 0; i < kEncoderBlocks; ++i) {
    x = Block(i, x);
    if (i == 1) features.low_level = x;
  }
  features.top = std::move(x);
  return features;
}

Tensor FusedNetwork::Separable(const FoldedSeparable& layer, const Tensor& x, int64_t dilation) const {
  const Tensor filtered = torch::conv2d(x, layer.depthwise, {}, 1, dilation, dilation, layer.depthwise.size(0));
  return operators_->ConvRelu(filtered, layer.pointwise, {});
}

Tensor FusedNetwork::Pyramid(const Tensor& top) const {
  std::vector<Tensor> branches = {operators_->ConvRelu(top, weights_.aspp_pointwise, {})};
  for (size_t i = 0; i < kAsppRates.size(); ++i) {
    branches.push_back(Separable(weights_.aspp_rates[i], top, kAsppRates[i]));
  }
  const Tensor bias = pooled_.ProjectionBias(top).to(type_).unsqueeze(2).unsqueeze(3);
  return torch::relu_(torch::conv2d(torch::cat(branches, 1), project_).add_(bias));
}

Scores FusedNetwork::Decode(const EncoderFeatures& encoded) {
  const torch::InferenceMode inference;
  const Tensor context = Separable(weights_.refine, Pyramid(encoded.top), 1);
  const Tensor low_level = operators_->ConvRelu(encoded.low_level, weights_.low_level, {});
  const Tensor upsampled =
      torch::upsample_bilinear2d(context, {low_level.size(2), low_level.size(3)}, /*align_corners=*/true);
  const Tensor merged = Separable(weights_.merge, torch::cat({upsampled, low_level}, 1), 1);
  const Tensor scores = Convolve(merged.to(torch::kFloat), weights_.heads, {});
  Scores result;
  result.logits = scores.narrow(1, 0, weights_.classes);
  if (weights_.uncertainty_channels > 0) {
    result.uncertainty = scores.narrow(1, weights_.classes, weights_.uncertainty_channels);
  }
  return result;
}

void FusedNetwork::DropEncoder() {
  weights_.stem = {};
  weights_.blocks = {};
}

}  // namespace candor
