// SPDX-License-Identifier: Apache-2.0
#include "core/engine/decoder_tail.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "core/kernels/bias_relu.h"
#include "core/kernels/decoder_strip.h"
#include "core/nn/depthwise_conv.h"
#include "core/nn/picture_of.h"

namespace candor {
namespace {

using torch::Tensor;

// Rows upsampled together: each upsampled row serves up to three of them.
constexpr int64_t kRows = 4;
// Pixels whose features, 96 KiB at full width, are computed at a time: they stay in the second-level cache.
constexpr int64_t kTile = 64;

// Rows [begin, end) of the depthwise convolution's results, into `out` from its first row on.
template <class T>
void ConvolveRows(const Tensor& context, const Tensor& low_level, int64_t picture, const Tensor& filter, int64_t begin,
                  int64_t end, const Tensor& out, float* scratch) {
  DecoderStripMaps<T> maps;
  maps.context_size = SizeOfPicture(context);
  maps.low_level_channels = static_cast<int>(low_level.size(1));
  maps.context = PictureOf<const T>(context, picture);
  maps.low_level = PictureOf<const T>(low_level, picture);
  // The view begins where row 0 would be; rows before `begin` are not touched.
  maps.output = {static_cast<T*>(out.data_ptr()) - begin * out.stride(0), out.stride(1), out.stride(0)};
  DecoderStrip(maps, {filter.const_data_ptr<float>()}, static_cast<int>(begin), static_cast<int>(end), scratch);
}

}  // namespace

// What one thread needs between the steps.
class DecoderTail::Scratch {
 public:
  Scratch(const DecoderTail& tail, int64_t context_width)
      : convolved(torch::zeros({kRows, 4 * context_width, tail.pointwise_.padded_in()}, tail.type_)),
        upsampled(torch::empty({static_cast<int64_t>(DecoderStripScratch(static_cast<int>(context_width)))})),
        sums(torch::empty({kTile, tail.pointwise_.out()})),
        features(torch::zeros({kTile, tail.heads_.padded_in()}, tail.type_)) {}

  Tensor convolved;  // [kRows, 4 w, padded channels]
  Tensor upsampled;  // float32, as DecoderStrip wants it
  Tensor sums;       // [kTile, features] float32
  Tensor features;   // [kTile, padded features]
};

DecoderTail::DecoderTail(const FoldedSeparable& merge, const FoldedConv& heads, torch::ScalarType type)
    : type_(type),
      depthwise_(DepthwiseTaps(merge.depthwise)),
      pointwise_(merge.pointwise.weight.flatten(1), type),
      heads_(heads.weight.flatten(1), type),
      pointwise_bias_(merge.pointwise.bias),
      heads_bias_(heads.bias) {}

Tensor DecoderTail::Run(const Tensor& context, const Tensor& low_level) const {
  const int64_t height = low_level.size(2);
  const int64_t width = low_level.size(3);
  Tensor scores = torch::empty({low_level.size(0), heads_.out(), height, width},
                               torch::dtype(torch::kFloat).memory_format(torch::MemoryFormat::ChannelsLast));
  scores.copy_(heads_bias_.reshape({1, -1, 1, 1}).expand_as(scores));
  const int64_t strips = height / kRows;  // heights are multiples of 4
  at::parallel_for(0, low_level.size(0) * strips, 1, [&](int64_t begin, int64_t end) {
    const torch::InferenceMode inference;  // a thread's own
    Scratch scratch(*this, context.size(3));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t picture = i / strips;
      const int64_t row = i % strips * kRows;
      const auto convolve = type_ == torch::kFloat ? &ConvolveRows<float> : &ConvolveRows<uint16_t>;
      convolve(context, low_level, picture, depthwise_, row, row + kRows, scratch.convolved,
               scratch.upsampled.data_ptr<float>());
      float* out = scores.data_ptr<float>() + picture * scores.stride(0) + row * scores.stride(2);
      Score(kRows * width, &scratch, out, scores.stride(3));
    }
    PackedMatrix::Release();
  });
  return scores;
}

void DecoderTail::Score(int64_t pixels, Scratch* scratch, float* scores, int64_t score_stride) const {
  const int64_t bytes = static_cast<int64_t>(scratch->convolved.element_size()) * pointwise_.padded_in();
  const auto* convolved = static_cast<const char*>(scratch->convolved.const_data_ptr());
  float* sums = scratch->sums.data_ptr<float>();
  for (int64_t first = 0; first < pixels; first += kTile) {
    const int64_t count = std::min(kTile, pixels - first);
    pointwise_.Multiply(count, convolved + first * bytes, pointwise_.padded_in(), /*accumulate=*/false, sums,
                        pointwise_.out());
    const auto relu = [&](auto* features) {
      BiasRelu(sums, pointwise_.out(), pointwise_bias_.const_data_ptr<float>(), static_cast<int>(count),
               static_cast<int>(pointwise_.out()), features, heads_.padded_in());
    };
    if (type_ == torch::kFloat) {
      relu(scratch->features.data_ptr<float>());
    } else {
      relu(static_cast<uint16_t*>(scratch->features.data_ptr()));
    }
    heads_.Multiply(count, scratch->features.const_data_ptr(), heads_.padded_in(), /*accumulate=*/true,
                    scores + first * score_stride, score_stride);
  }
}

}  // namespace candor
