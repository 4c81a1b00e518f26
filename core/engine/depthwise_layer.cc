// SPDX-License-Identifier: Apache-2.0
#include "core/engine/depthwise_layer.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "core/kernels/dilated_depthwise.h"

namespace candor {
namespace {

// Values worth a thread.
constexpr int64_t kValuesPerTask = 1 << 15;

template <class T>
MapView<T> PictureOf(T* data, const torch::Tensor& map, int64_t picture) {
  return {data + picture * map.stride(0), map.stride(3), map.stride(2)};
}

// T: float, or uint16_t for the bits of a bfloat16.
template <class T>
void Convolve(const torch::Tensor& x, const DepthwiseFilter& filter, int dilation, const torch::Tensor& y) {
  const auto* input = static_cast<const T*>(x.const_data_ptr());
  auto* output = static_cast<T*>(y.data_ptr());
  const MapSize size = {static_cast<int>(x.size(2)), static_cast<int>(x.size(3)), static_cast<int>(x.size(1))};
  const int64_t rows_per_task = std::max<int64_t>(1, kValuesPerTask / (int64_t{size.width} * size.channels));
  for (int64_t n = 0; n < x.size(0); ++n) {
    at::parallel_for(0, size.height, rows_per_task, [&](int64_t begin, int64_t end) {
      DilatedDepthwise(size, PictureOf(input, x, n), filter, dilation, static_cast<int>(begin), static_cast<int>(end),
                       PictureOf(output, y, n));
    });
  }
}

}  // namespace

DepthwiseLayer::DepthwiseLayer(const torch::Tensor& weight, int dilation)
    : weight_(weight.reshape({weight.size(0), 9}).t().contiguous()), dilation_(dilation) {}

torch::Tensor DepthwiseLayer::Run(const torch::Tensor& x) const {
  const torch::Tensor y = torch::empty(x.sizes(), x.options().memory_format(torch::MemoryFormat::ChannelsLast));
  DepthwiseFilter filter;
  filter.weights = weight_.const_data_ptr<float>();
  if (x.scalar_type() == torch::kFloat) {
    Convolve<float>(x, filter, dilation_, y);
  } else {
    Convolve<uint16_t>(x, filter, dilation_, y);
  }
  return y;
}

}  // namespace candor
