// SPDX-License-Identifier: Apache-2.0
#include "core/engine/encoder_shape.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "core/kernels/max_pool.h"
#include "core/nn/picture_of.h"

namespace candor {
namespace {

using torch::Tensor;

// Of the first block's first convolution, and the dilation of all of them.
struct Stage {
  int64_t stride, dilation;
};
constexpr std::array<Stage, 4> kStages = {{{1, 1}, {2, 1}, {2, 1}, {1, 2}}};

template <class Bits>
void PoolInto(const Tensor& x, const Tensor& pooled) {
  const int64_t rows = pooled.size(2);
  at::parallel_for(0, x.size(0) * rows, 1, [&](int64_t begin, int64_t end) {
    ForEachPicture(begin, end, rows, [&](int64_t n, int first, int last) {
      MaxPoolOfRelu(SizeOfPicture(x), PictureOf<const Bits>(x, n), first, last, PictureOf<Bits>(pooled, n));
    });
  });
}

}  // namespace

BlockGeometry::BlockGeometry(size_t block) {
  const Stage& stage = kStages[block / 2];
  const int64_t stride = block % 2 == 0 ? stage.stride : 1;
  conv1 = {stride, stage.dilation, stage.dilation};
  conv2 = {1, stage.dilation, stage.dilation};
  downsample = {stride, 0, 1};
}

Tensor PoolStem(const Tensor& x) {
  Tensor pooled = torch::empty({x.size(0), x.size(1), (x.size(2) + 1) / 2, (x.size(3) + 1) / 2},
                               x.options().memory_format(torch::MemoryFormat::ChannelsLast));
  const auto pool = x.scalar_type() == torch::kFloat ? &PoolInto<uint32_t> : &PoolInto<uint16_t>;
  pool(x, pooled);
  return pooled;
}

MapObserver ObserveRanges(EncoderRanges* ranges) {
  ranges->resize(kEncoderMaps);
  return [ranges](size_t map, const Tensor& values) {
    const auto [least, largest] = torch::aminmax(values);
    ValueRange& range = (*ranges)[map];
    range.least = std::min(range.least, least.item<float>());
    range.largest = std::max(range.largest, largest.item<float>());
  };
}

}  // namespace candor
