// SPDX-License-Identifier: Apache-2.0
#include "core/nn/depthwise_conv.h"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>

#include <algorithm>

#include "core/kernels/depthwise_gradient.h"
#include "core/kernels/dilated_depthwise.h"
#include "core/nn/picture_of.h"

namespace candor {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Values worth a thread.
constexpr int64_t kValuesPerTask = 1 << 15;

torch::Tensor Dense(const torch::Tensor& maps) { return maps.contiguous(at::MemoryFormat::ChannelsLast); }

template <class T>
void Convolve(const torch::Tensor& x, const torch::Tensor& taps, int dilation, const torch::Tensor& y) {
  const MapSize size = SizeOfPicture(x);
  const DepthwiseFilter filter{taps.const_data_ptr<float>()};
  const int64_t height = std::max(1, size.height);
  const int64_t rows_per_task = std::max<int64_t>(1, kValuesPerTask / std::max(1, size.width * size.channels));
  at::parallel_for(0, x.size(0) * size.height, rows_per_task, [&](int64_t begin, int64_t end) {
    ForEachPicture(begin, end, height, [&](int64_t n, int first, int last) {
      DilatedDepthwise(size, PictureOf<const T>(x, n), filter, dilation, first, last, PictureOf<T>(y, n));
    });
  });
}

template <class T>
void AddWeightGradient(const torch::Tensor& x, const torch::Tensor& gradient, int dilation, const torch::Tensor& taps) {
  constexpr int kBlock = 64;  // the kernel's condition for sums that do not depend on the split
  const MapSize size = SizeOfPicture(x);
  const int channels = size.channels;
  at::parallel_for(0, (channels + kBlock - 1) / kBlock, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = 0; n < x.size(0); ++n) {
      AddDepthwiseWeightGradient(size, PictureOf<const T>(x, n), PictureOf<const T>(gradient, n), dilation,
                                 static_cast<int>(begin) * kBlock, std::min(channels, static_cast<int>(end) * kBlock),
                                 taps.data_ptr<float>());
    }
  });
}

torch::Tensor WeightGradient(const torch::Tensor& x, const torch::Tensor& gradient, int64_t dilation,
                             const torch::Tensor& weight) {
  const torch::Tensor taps = torch::zeros({9, x.size(1)}, at::kFloat);
  const int kernel_dilation = static_cast<int>(dilation);
  if (x.scalar_type() == at::kFloat) {
    AddWeightGradient<float>(x, gradient, kernel_dilation, taps);
  } else {
    AddWeightGradient<uint16_t>(x, gradient, kernel_dilation, taps);
  }
  return torch::empty_like(weight).copy_(taps.t().reshape(weight.sizes()));
}

class DepthwiseConvFunction : public torch::autograd::Function<DepthwiseConvFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               int64_t dilation) {
    const torch::Tensor dense = Dense(x);
    context->save_for_backward({dense, weight});
    context->saved_data["dilation"] = dilation;
    return DepthwiseConvByTaps(dense, DepthwiseTaps(weight), dilation);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const int64_t dilation = context->saved_data["dilation"].toInt();
    const torch::Tensor gradient = Dense(gradients[0].to(saved[0].scalar_type()));
    variable_list result(3);
    if (context->needs_input_grad(0))
      result[0] = DepthwiseConvByTaps(gradient, DepthwiseTaps(saved[1]).flip(0), dilation);
    if (context->needs_input_grad(1)) result[1] = WeightGradient(saved[0], gradient, dilation, saved[1]);
    return result;
  }
};

}  // namespace

torch::Tensor DepthwiseTaps(const torch::Tensor& weight) {
  return weight.reshape({weight.size(0), 9}).t().to(at::kFloat).contiguous();
}

torch::Tensor DepthwiseConvByTaps(const torch::Tensor& x, const torch::Tensor& taps, int64_t dilation) {
  torch::Tensor y = torch::empty(x.sizes(), x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const int kernel_dilation = static_cast<int>(dilation);
  if (x.scalar_type() == at::kFloat) {
    Convolve<float>(x, taps, kernel_dilation, y);
  } else {
    Convolve<uint16_t>(x, taps, kernel_dilation, y);
  }
  return y;
}

bool HasDepthwiseConv(const torch::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

torch::Tensor DepthwiseConv(const torch::Tensor& x, const torch::Tensor& weight, int64_t dilation) {
  const bool is_lowered =
      at::autocast::is_autocast_enabled(at::kCPU) && at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16;
  return DepthwiseConvFunction::apply(is_lowered ? x.to(at::kBFloat16) : x, weight, dilation);
}

}  // namespace candor
