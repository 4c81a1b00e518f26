// SPDX-License-Identifier: Apache-2.0
#include "core/engine/quantised_encoder.h"

#include <ATen/Parallel.h>

#include <utility>

#include "core/kernels/quantise.h"

namespace candor {
namespace {

using torch::Tensor;

constexpr int64_t kValuesPerTask = 1 << 16;

template <class Function>
void ForAllValues(const Tensor& map, const Function& run) {
  at::parallel_for(0, map.numel(), kValuesPerTask, run);
}

// Codes of a map without negative values.
Tensor ToCodes(const Tensor& map, const Quantisation& by) {
  Tensor codes = torch::empty_like(map, torch::kByte);
  auto* out = codes.data_ptr<uint8_t>();
  const auto scale = static_cast<float>(by.scale);
  const auto quantise = [&](const auto* values) {
    ForAllValues(map, [&](int64_t begin, int64_t end) { Quantise(values + begin, end - begin, scale, out + begin); });
  };
  if (map.scalar_type() == torch::kFloat) {
    quantise(map.const_data_ptr<float>());
  } else {
    quantise(static_cast<const uint16_t*>(map.const_data_ptr()));
  }
  return codes;
}

Tensor FromCodes(const Tensor& codes, const Quantisation& by, torch::ScalarType type) {
  Tensor map = torch::empty_like(codes, type);
  const auto* in = codes.const_data_ptr<uint8_t>();
  const auto scale = static_cast<float>(by.scale);
  const auto dequantise = [&](auto* values) {
    ForAllValues(map, [&](int64_t begin, int64_t end) { Dequantise(in + begin, end - begin, scale, values + begin); });
  };
  if (type == torch::kFloat) {
    dequantise(map.data_ptr<float>());
  } else {
    dequantise(static_cast<uint16_t*>(map.data_ptr()));
  }
  return map;
}

}  // namespace

QuantisedEncoderLayers::QuantisedEncoderLayers(const FoldedWeights& weights, const EncoderRanges& ranges,
                                               torch::ScalarType type)
    : type(type), stem(weights.stem.weight, weights.stem.bias, {2, 3, 1}, type) {
  TORCH_CHECK(ranges.size() == kEncoderMaps, "int8: ", kEncoderMaps, " ranges of maps are wanted, there are ",
              ranges.size());
  size_t next = 0;
  const auto read = [&] {
    const ValueRange& range = ranges[next++];
    return Quantisation::Of(range.least, range.largest);
  };
  const auto conv = [](const FoldedConv& folded, const ConvGeometry& geometry) {
    return QuantisedConvLayer(folded.weight, folded.bias, geometry);
  };
  pooled = read();
  for (size_t i = 0; i < kEncoderBlocks; ++i) {
    const FoldedBlock& block = weights.blocks[i];
    const BlockGeometry geometry(i);
    blocks[i].conv1 = conv(block.conv1, geometry.conv1);
    blocks[i].conv2 = conv(block.conv2, geometry.conv2);
    maps[i].conv1 = read();
    if (StartsStage(i)) {
      blocks[i].downsample = conv(block.downsample, geometry.downsample);
      maps[i].downsample = read();
    }
    maps[i].result = read();
  }
}

QuantisedEncoderPlan::QuantisedEncoderPlan(int64_t n, int64_t height, int64_t width, QuantisedEncoderLayers* layers)
    : layers_(layers), stem_(layers->stem.PackFor({n, 3, height, width})) {
  std::array<int64_t, 4> shape = {n, layers->stem.out_channels(), height / 4, width / 4};
  Quantisation input = layers->pooled;
  for (size_t i = 0; i < kEncoderBlocks; ++i) {
    const EncoderBlock<QuantisedConvLayer>& block = layers->blocks[i];
    const int64_t stride = BlockGeometry(i).conv1.stride;
    if (StartsStage(i)) blocks_[i].downsample = block.downsample.PackFor(shape, input);
    blocks_[i].conv1 = block.conv1.PackFor(shape, input);
    shape = {n, block.conv1.out_channels(), shape[2] / stride, shape[3] / stride};
    blocks_[i].conv2 = block.conv2.PackFor(shape, layers->maps[i].conv1);
    input = layers->maps[i].result;
  }
}

EncoderFeatures QuantisedEncoderPlan::Run(const Tensor& images) const {
  Quantisation input = layers_->pooled;
  Tensor x = ToCodes(PoolStem(stem_.Run(images, Activation::kRelu)), input);
  EncoderFeatures features;
  for (size_t i = 0; i < kEncoderBlocks; ++i) {
    const QuantisedEncoderLayers::BlockMaps& maps = layers_->maps[i];
    const Tensor inner = blocks_[i].conv1.Run(x, maps.conv1, Activation::kRelu);
    if (StartsStage(i)) {
      x = blocks_[i].downsample.Run(x, maps.downsample, Activation::kNone);
      blocks_[i].conv2.AddTo(inner, maps.downsample, maps.result, x);
    } else {
      blocks_[i].conv2.AddTo(inner, input, maps.result, x);
    }
    input = maps.result;
    if (i == 1) features.low_level = FromCodes(x, input, layers_->type);
  }
  features.top = FromCodes(x, input, layers_->type);
  return features;
}

}  // namespace candor
