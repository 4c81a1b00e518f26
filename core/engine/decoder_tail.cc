// SPDX-License-Identifier: Apache-2.0
#include "core/engine/decoder_tail.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "core/kernels/bias_relu.h"

namespace candor {
namespace {

using torch::Tensor;

// Pixels whose features, 96 KiB at full width, are computed at a time: they stay in the second-level cache.
constexpr int64_t kTile = 64;

}  // namespace

// What one thread needs between the steps of a row.
class DecoderTail::Scratch {
 public:
  Scratch(const DecoderTail& tail, int64_t width)
      : convolved(torch::zeros({width, tail.pointwise_.padded_in()}, tail.type_)),
        sums(torch::empty({kTile, tail.pointwise_.out()}, torch::kFloat)),
        features(torch::zeros({kTile, tail.heads_.padded_in()}, tail.type_)) {}

  Tensor convolved;  // [width, padded channels]
  Tensor sums;       // [kTile, features] float32
  Tensor features;   // [kTile, padded features]
};

DecoderTail::DecoderTail(const FoldedSeparable& merge, const FoldedConv& heads, torch::ScalarType type)
    : type_(type),
      depthwise_(merge.depthwise, 1),
      pointwise_(merge.pointwise.weight.flatten(1), type),
      heads_(heads.weight.flatten(1), type),
      pointwise_bias_(merge.pointwise.bias),
      heads_bias_(heads.bias) {}

Tensor DecoderTail::Run(const Tensor& merged) const {
  const int64_t height = merged.size(2);
  Tensor scores = torch::empty({merged.size(0), heads_.out(), height, merged.size(3)},
                               merged.options().dtype(torch::kFloat).memory_format(torch::MemoryFormat::ChannelsLast));
  scores.copy_(heads_bias_.reshape({1, -1, 1, 1}).expand_as(scores));
  at::parallel_for(0, merged.size(0) * height, 1, [&](int64_t begin, int64_t end) {
    const torch::InferenceMode inference;  // a thread's own
    Scratch scratch(*this, merged.size(3));
    for (int64_t i = begin; i < end; ++i) RunRow(merged, i / height, i % height, &scratch, scores);
    PackedMatrix::Release();
  });
  return scores;
}

void DecoderTail::RunRow(const Tensor& merged, int64_t picture, int64_t row, Scratch* scratch,
                         const Tensor& scores) const {
  depthwise_.RunRow(merged, picture, row, scratch->convolved);
  const int64_t width = merged.size(3);
  const int64_t bytes = static_cast<int64_t>(merged.element_size()) * pointwise_.padded_in();
  const auto* convolved = static_cast<const char*>(scratch->convolved.const_data_ptr());
  float* sums = scratch->sums.data_ptr<float>();
  float* out = scores.data_ptr<float>() + picture * scores.stride(0) + row * scores.stride(2);
  for (int64_t x = 0; x < width; x += kTile) {
    const int64_t pixels = std::min(kTile, width - x);
    pointwise_.Multiply(pixels, convolved + x * bytes, pointwise_.padded_in(), /*accumulate=*/false, sums,
                        pointwise_.out());
    const auto relu = [&](auto* features) {
      BiasRelu(sums, pointwise_.out(), pointwise_bias_.const_data_ptr<float>(), static_cast<int>(pixels),
               static_cast<int>(pointwise_.out()), features, heads_.padded_in());
    };
    if (type_ == torch::kFloat) {
      relu(scratch->features.data_ptr<float>());
    } else {
      relu(static_cast<uint16_t*>(scratch->features.data_ptr()));
    }
    heads_.Multiply(pixels, scratch->features.const_data_ptr(), heads_.padded_in(), /*accumulate=*/true,
                    out + x * scores.stride(3), scores.stride(3));
  }
}

}  // namespace candor
