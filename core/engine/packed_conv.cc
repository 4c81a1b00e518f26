// SPDX-License-Identifier: Apache-2.0
#include "core/engine/packed_conv.h"

#include <algorithm>
#include <array>
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

using Reorder = Tensor(const Tensor&, IntArrayRef, IntArrayRef, IntArrayRef, int64_t, at::OptionalIntArrayRef);
using Describe = Tensor(const Tensor&);
using Pointwise = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, IntArrayRef, IntArrayRef,
                         IntArrayRef, int64_t, std::string_view, Scalars, Name);
using PointwiseAdd = Tensor&(Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&, IntArrayRef,
                             IntArrayRef, IntArrayRef, int64_t, std::string_view, std::optional<at::Scalar>, Name,
                             Scalars, Name);

// Both sides of each spatial parameter.
struct Geometry {
  explicit Geometry(const ConvGeometry& g)
      : padding{g.padding, g.padding}, stride{g.stride, g.stride}, dilation{g.dilation, g.dilation} {}
  std::array<int64_t, 2> padding, stride, dilation;
};

}  // namespace

PackedConv::PackedConv(Tensor weight, const Tensor& bias, const ConvGeometry& geometry, torch::ScalarType type)
    : weight_(std::move(weight)), bias_(bias), typed_bias_(bias.to(type)), geometry_(geometry) {}

Tensor PackedConv::Run(const Tensor& x, const Tensor& bias, Activation activation) const {
  static const auto op = FindOperator<Pointwise>("mkldnn::_convolution_pointwise", "");
  const Geometry g(geometry_);
  const char* name = activation == Activation::kRelu ? "relu" : "none";
  return op.call(x, weight_, bias, g.padding, g.stride, g.dilation, /*groups=*/1, name, Scalars(), std::nullopt);
}

void PackedConv::AddTo(const Tensor& x, Tensor& sum) const {
  static const auto op = FindOperator<PointwiseAdd>("mkldnn::_convolution_pointwise_", "binary");
  const Geometry g(geometry_);
  op.call(sum, x, weight_, typed_bias_, g.padding, g.stride, g.dilation, /*groups=*/1, "add", /*alpha=*/1, "relu",
          Scalars(), std::nullopt);
}

PackedConvLayer::PackedConvLayer(const Tensor& weight, Tensor bias, const ConvGeometry& geometry,
                                 torch::ScalarType type)
    : weight_(weight.to(type, /*non_blocking=*/false, /*copy=*/true, torch::MemoryFormat::ChannelsLast)),
      bias_(std::move(bias)),
      geometry_(geometry) {}

PackedConv PackedConvLayer::PackFor(IntArrayRef input_shape) {
  static const auto reorder = FindOperator<Reorder>("mkldnn::_reorder_convolution_weight", "");
  static const auto describe = FindOperator<Describe>("mkldnn::_get_mkldnn_serialized_md", "");
  const auto is_unused = [](const Packed& packed) { return packed.weight.use_count() == 1; };
  packed_.erase(std::remove_if(packed_.begin(), packed_.end(), is_unused), packed_.end());
  const Geometry g(geometry_);
  Packed fresh;
  fresh.weight = reorder.call(weight_, g.padding, g.stride, g.dilation, /*groups=*/1, input_shape);
  fresh.layout = describe.call(fresh.weight);
  const auto same = std::find_if(packed_.begin(), packed_.end(),
                                 [&](const Packed& packed) { return torch::equal(packed.layout, fresh.layout); });
  if (same != packed_.end()) return {same->weight, bias_, geometry_, weight_.scalar_type()};
  packed_.push_back(fresh);
  return {fresh.weight, bias_, geometry_, weight_.scalar_type()};
}

}  // namespace candor
