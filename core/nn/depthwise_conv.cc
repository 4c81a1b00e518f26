// SPDX-License-Identifier: Apache-2.0
#include "core/nn/depthwise_conv.h"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>

#include <algorithm>

#include "core/kernels/depthwise_gradient.h"
#include "core/kernels/dilated_depthwise.h"

namespace candor {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Pictures of one dense channels-last tensor. T is float, or uint16_t for bfloat16.
template <class T>
struct Pictures {
  explicit Pictures(const torch::Tensor& maps)
      : data(static_cast<T*>(maps.data_ptr())),
        size{static_cast<int>(maps.size(2)), static_cast<int>(maps.size(3)), static_cast<int>(maps.size(1))},
        count(maps.size(0)) {}

  template <class View>
  MapView<View> At(int64_t n) const {
    const ptrdiff_t row = static_cast<ptrdiff_t>(size.width) * size.channels;
    return {data + n * size.height * row, size.channels, row};
  }

  T* data;
  MapSize size;
  int64_t count;
};

torch::Tensor Dense(const torch::Tensor& maps) { return maps.contiguous(at::MemoryFormat::ChannelsLast); }

// [C, 1, 3, 3] to the kernels' [9, C] in fp32.
torch::Tensor ByTap(const torch::Tensor& weight) {
  return weight.reshape({weight.size(0), 9}).t().to(at::kFloat).contiguous();
}

template <class T>
void Convolve(const torch::Tensor& x, const torch::Tensor& taps, int dilation, const torch::Tensor& y) {
  const Pictures<T> input(x);
  const Pictures<T> output(y);
  const DepthwiseFilter filter{taps.data_ptr<float>()};
  const int64_t height = std::max(1, input.size.height);
  at::parallel_for(0, input.count * input.size.height, 1, [&](int64_t begin, int64_t end) {
    // Rows of all pictures, one picture after the other.
    for (int64_t row = begin; row < end;) {
      const int64_t n = row / height;
      const int64_t stop = std::min(end, (n + 1) * height);
      DilatedDepthwise(input.size, input.template At<const T>(n), filter, dilation, static_cast<int>(row - n * height),
                       static_cast<int>(stop - n * height), output.template At<T>(n));
      row = stop;
    }
  });
}

torch::Tensor Convolved(const torch::Tensor& x, const torch::Tensor& taps, int64_t dilation) {
  torch::Tensor y = torch::empty(x.sizes(), x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const int kernel_dilation = static_cast<int>(dilation);
  if (x.scalar_type() == at::kFloat) {
    Convolve<float>(x, taps, kernel_dilation, y);
  } else {
    Convolve<uint16_t>(x, taps, kernel_dilation, y);
  }
  return y;
}

template <class T>
void AddWeightGradient(const torch::Tensor& x, const torch::Tensor& gradient, int dilation, const torch::Tensor& taps) {
  constexpr int kBlock = 64;  // the kernel's condition for sums that do not depend on the split
  const Pictures<T> input(x);
  const Pictures<T> output(gradient);
  const int channels = input.size.channels;
  at::parallel_for(0, (channels + kBlock - 1) / kBlock, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = 0; n < input.count; ++n) {
      AddDepthwiseWeightGradient(input.size, input.template At<const T>(n), output.template At<const T>(n), dilation,
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
    return Convolved(dense, ByTap(weight), dilation);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const int64_t dilation = context->saved_data["dilation"].toInt();
    const torch::Tensor gradient = Dense(gradients[0].to(saved[0].scalar_type()));
    variable_list result(3);
    if (context->needs_input_grad(0)) result[0] = Convolved(gradient, ByTap(saved[1]).flip(0), dilation);
    if (context->needs_input_grad(1)) result[1] = WeightGradient(saved[0], gradient, dilation, saved[1]);
    return result;
  }
};

}  // namespace

bool HasDepthwiseConv(const torch::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

torch::Tensor DepthwiseConv(const torch::Tensor& x, const torch::Tensor& weight, int64_t dilation) {
  const bool is_lowered =
      at::autocast::is_autocast_enabled(at::kCPU) && at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16;
  return DepthwiseConvFunction::apply(is_lowered ? x.to(at::kBFloat16) : x, weight, dilation);
}

}  // namespace candor
