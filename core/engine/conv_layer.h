// SPDX-License-Identifier: Apache-2.0
//
// A convolution in the form that suits it best: Winograd's, or oneDNN's direct one.
#pragma once

#include <torch/torch.h>

#include <utility>
#include <variant>

#include "core/engine/packed_conv.h"
#include "core/engine/winograd_conv.h"

namespace candor {

// For inputs of one shape. Thread-safe. Throws c10::Error.
class ShapedConv {
 public:
  ShapedConv() = default;
  explicit ShapedConv(std::variant<PackedConv, WinogradConv> form) : form_(std::move(form)) {}

  // As PackedConv.
  torch::Tensor Run(const torch::Tensor& x, Activation activation) const {
    return std::visit([&](const auto& form) { return form.Run(x, activation); }, form_);
  }
  void AddTo(const torch::Tensor& x, torch::Tensor& sum) const {
    std::visit([&](const auto& form) { form.AddTo(x, sum); }, form_);
  }

 private:
  std::variant<PackedConv, WinogradConv> form_;
};

// As PackedConvLayer. Thread-compatible.
class ConvLayer {
 public:
  ConvLayer() = default;
  ConvLayer(const torch::Tensor& weight, const torch::Tensor& bias, const ConvGeometry& geometry,
            torch::ScalarType type)
      : out_channels_(weight.size(0)), form_(Make(weight, bias, geometry, type)) {}

  ShapedConv PackFor(torch::IntArrayRef input_shape) {
    if (const auto* winograd = std::get_if<WinogradConv>(&form_)) return ShapedConv(*winograd);
    return ShapedConv(std::get<PackedConvLayer>(form_).PackFor(input_shape));
  }

  int64_t out_channels() const { return out_channels_; }

 private:
  using Form = std::variant<PackedConvLayer, WinogradConv>;

  static Form Make(const torch::Tensor& weight, const torch::Tensor& bias, const ConvGeometry& geometry,
                   torch::ScalarType type) {
    if (WinogradConv::Suits(weight, geometry, type)) return WinogradConv(weight, bias, geometry, type);
    return PackedConvLayer(weight, bias, geometry, type);
  }

  int64_t out_channels_ = 0;
  Form form_;
};

}  // namespace candor
