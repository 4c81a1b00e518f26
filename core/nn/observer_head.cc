// SPDX-License-Identifier: Apache-2.0
#include "core/nn/observer_head.h"

#include "core/nn/convolve.h"

namespace candor {

ObserverHead::ObserverHead(int64_t width, int64_t classes, int64_t kinds)
    : project_(register_module("0", ConvNormRelu(Conv(4 * width + classes, 2 * width, 1)))),
      near_(register_module("1", SeparableNormRelu(2 * width, 2 * width, 1))),
      far_(register_module("2", SeparableNormRelu(2 * width, 2 * width, 2))),
      out_(register_module("3", torch::nn::Conv2d(torch::nn::Conv2dOptions(2 * width, kinds, 1)))) {}

torch::Tensor ObserverHead::Forward(const torch::Tensor& features, const torch::Tensor& logits) {
  const torch::Tensor softmax = Undivided(logits).softmax(1);
  return Convolve(out_, far_(near_(project_(torch::cat({features, softmax.to(features.scalar_type())}, 1)))));
}

}  // namespace candor
