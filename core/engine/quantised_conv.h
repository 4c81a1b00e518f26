// SPDX-License-Identifier: Apache-2.0
//
// Convolutions of oneDNN on 8-bit maps and weights, with sums in 32 bits and bias, ReLU and residual sum fused in,
// through the operators that LibTorch's own compiler calls. They are no public interface of LibTorch: this is the only
// file that knows them.
#pragma once

#include <torch/torch.h>

#include "core/engine/packed_conv.h"

namespace candor {

// What the codes 0 to 255 of a map stand for: (code - zero) * scale.
struct Quantisation {
  double scale = 1;
  int64_t zero = 0;

  // That represents [least, largest], which is made to hold 0, exactly at 0.
  static Quantisation Of(double least, double largest);
};

// A convolution whose weights lie as oneDNN wants them for inputs of one shape and quantisation. Thread-safe. Throws
// c10::Error.
class QuantisedConv {
 public:
  QuantisedConv() = default;

  // activation(conv(x) + bias), a new NHWC map of codes by `result`. x: codes, uint8, NHWC, of the shape packed for.
  torch::Tensor Run(const torch::Tensor& x, const Quantisation& result, Activation activation) const;

  // sum = relu(conv(x) + bias + sum) in place: codes by `before` become codes by `after`.
  void AddTo(const torch::Tensor& x, const Quantisation& before, const Quantisation& after, torch::Tensor& sum) const;

 private:
  friend class QuantisedConvLayer;

  torch::Tensor weight_, scales_, zeros_, bias_;
  ConvGeometry geometry_;
  Quantisation input_;
};

// One convolution of a network, its weights in 8 bits with a scale a filter. Thread-safe. Throws c10::Error.
class QuantisedConvLayer {
 public:
  QuantisedConvLayer() = default;
  // `weight` [out, in, k, k] and `bias` [out] float32.
  QuantisedConvLayer(const torch::Tensor& weight, torch::Tensor bias, const ConvGeometry& geometry);

  // For inputs [n, in, h, w].
  QuantisedConv PackFor(torch::IntArrayRef input_shape, const Quantisation& input) const;

  int64_t out_channels() const { return weight_.size(0); }

 private:
  torch::Tensor weight_;  // int8
  torch::Tensor scales_;  // [out] float32: weight = code * scale
  torch::Tensor bias_;
  ConvGeometry geometry_;
};

}  // namespace candor
