// SPDX-License-Identifier: Apache-2.0
#include "core/engine/quantised_conv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "core/engine/torch_operator.h"

namespace candor {
namespace {

using torch::IntArrayRef;
using torch::Tensor;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Name = std::optional<std::string_view>;

using Prepack = Tensor(Tensor, Tensor, double, int64_t, c10::List<int64_t>, c10::List<int64_t>, c10::List<int64_t>,
                       int64_t, std::optional<c10::List<int64_t>>);
using Pointwise = Tensor(Tensor, double, int64_t, Tensor, Tensor, Tensor, std::optional<Tensor>, c10::List<int64_t>,
                         c10::List<int64_t>, c10::List<int64_t>, int64_t, double, int64_t,
                         std::optional<at::ScalarType>, std::string_view, Scalars, Name);
using PointwiseSum = Tensor(Tensor, double, int64_t, Tensor, Tensor, Tensor, Tensor, std::optional<Tensor>,
                            c10::List<int64_t>, c10::List<int64_t>, c10::List<int64_t>, int64_t, double, int64_t,
                            std::optional<at::ScalarType>, double, int64_t, std::string_view, std::optional<at::Scalar>,
                            Name, Scalars, Name);

constexpr double kCodes = 255;
constexpr double kLargestWeight = 127;

// Both sides of a spatial parameter.
c10::List<int64_t> Both(int64_t value) { return {value, value}; }

}  // namespace

Quantisation Quantisation::Of(double least, double largest) {
  const double low = std::min(least, 0.0);
  const double high = std::max(largest, 0.0);
  if (!(high > low)) return {};
  const double scale = (high - low) / kCodes;
  return {scale, std::llround(-low / scale)};
}

Tensor QuantisedConv::Run(const Tensor& x, const Quantisation& result, Activation activation) const {
  static const auto op = FindOperator<Pointwise>("onednn::qconv2d_pointwise", "");
  return op.call(x, input_.scale, input_.zero, weight_, scales_, zeros_, bias_, Both(geometry_.stride),
                 Both(geometry_.padding), Both(geometry_.dilation), /*groups=*/1, result.scale, result.zero,
                 torch::kByte, activation == Activation::kRelu ? "relu" : "none", Scalars(), "");
}

void QuantisedConv::AddTo(const Tensor& x, const Quantisation& before, const Quantisation& after, Tensor& sum) const {
  static const auto op = FindOperator<PointwiseSum>("onednn::qconv2d_pointwise", "binary");
  op.call(x, input_.scale, input_.zero, weight_, scales_, zeros_, sum, bias_, Both(geometry_.stride),
          Both(geometry_.padding), Both(geometry_.dilation), /*groups=*/1, after.scale, after.zero, torch::kByte,
          before.scale, before.zero, "sum", /*alpha=*/1.0, "relu", Scalars(), "");
}

QuantisedConvLayer::QuantisedConvLayer(const Tensor& weight, Tensor bias, const ConvGeometry& geometry)
    : bias_(std::move(bias)), geometry_(geometry) {
  // A filter of zeros has some scale too.
  scales_ = weight.abs().amax({1, 2, 3}).div(kLargestWeight).clamp_min(1e-12);
  weight_ = weight.div(scales_.reshape({-1, 1, 1, 1})).round().to(torch::kChar);
}

QuantisedConv QuantisedConvLayer::PackFor(IntArrayRef input_shape, const Quantisation& input) const {
  static const auto prepack = FindOperator<Prepack>("onednn::qconv_prepack", "");
  QuantisedConv conv;
  conv.weight_ =
      prepack.call(weight_, scales_, input.scale, input.zero, Both(geometry_.stride), Both(geometry_.padding),
                   Both(geometry_.dilation), /*groups=*/1, c10::List<int64_t>(input_shape));
  conv.scales_ = scales_;
  conv.zeros_ = torch::zeros({weight_.size(0)}, torch::kLong);
  conv.bias_ = bias_;
  conv.geometry_ = geometry_;
  conv.input_ = input;
  return conv;
}

}  // namespace candor
