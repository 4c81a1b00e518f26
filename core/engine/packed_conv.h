// SPDX-License-Identifier: Apache-2.0
//
// Convolutions of oneDNN with ReLU and residual sum fused in, through the operators that LibTorch's own compiler calls.
// They are no public interface of LibTorch: this is the only file that knows them.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace candor {

struct ConvGeometry {
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t dilation = 1;
};

enum class Activation { kNone, kRelu };

// A convolution whose weights lie as oneDNN wants them for inputs of one shape. Thread-safe. Throws c10::Error.
class PackedConv {
 public:
  PackedConv() = default;
  // `weight`: from PackConvWeight. `bias` [out] float32.
  PackedConv(torch::Tensor weight, const torch::Tensor& bias, const ConvGeometry& geometry, torch::ScalarType type);

  // activation(conv(x) + bias): a new NHWC tensor of x's type. x is NHWC of the type and shape that was packed for.
  torch::Tensor Run(const torch::Tensor& x, Activation activation) const { return Run(x, bias_, activation); }
  torch::Tensor Run(const torch::Tensor& x, const torch::Tensor& bias, Activation activation) const;

  // sum = relu(conv(x) + bias + sum) in place. `sum` is NHWC of the result's shape and x's type.
  void AddTo(const torch::Tensor& x, torch::Tensor& sum) const;

 private:
  torch::Tensor weight_;
  torch::Tensor bias_;
  torch::Tensor typed_bias_;  // of the weights' type, which is what the operator that adds wants
  ConvGeometry geometry_;
};

// One convolution of a network: its weights, and those packed for the shapes in use. Thread-compatible.
class PackedConvLayer {
 public:
  PackedConvLayer() = default;
  // `weight` [out, in, k, k] and `bias` [out] float32; `type`: what it will compute in, kFloat or kBFloat16.
  PackedConvLayer(const torch::Tensor& weight, torch::Tensor bias, const ConvGeometry& geometry,
                  torch::ScalarType type);

  // For inputs [n, in, h, w]. Shapes for which oneDNN wants one layout share one copy, for as long as one is in use.
  PackedConv PackFor(torch::IntArrayRef input_shape);

  int64_t in_channels() const { return weight_.size(1); }
  int64_t out_channels() const { return weight_.size(0); }

 private:
  struct Packed {
    torch::Tensor layout;  // oneDNN's description, as bytes
    torch::Tensor weight;
  };

  torch::Tensor weight_;  // of the type computed in
  torch::Tensor bias_;
  ConvGeometry geometry_;
  std::vector<Packed> packed_;
};

}  // namespace candor
