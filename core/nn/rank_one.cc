// SPDX-License-Identifier: Apache-2.0
#include "core/nn/rank_one.h"

#include "core/nn/convolve.h"

namespace candor {
namespace {

constexpr double kInitialDeviation = 0.5;

torch::Tensor InitialFactors(int64_t members, int64_t channels) {
  return torch::randn({members, channels}) * kInitialDeviation + 1;
}

}  // namespace

void ShareWeights(torch::nn::Module& module, int64_t members) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    auto* conv = child->as<torch::nn::Conv2d>();
    if (conv == nullptr) continue;
    conv->register_parameter(kOutFactors, InitialFactors(members, conv->options.out_channels()));
    conv->register_parameter(kInFactors, InitialFactors(members, conv->options.in_channels()));
  }
}

torch::Tensor ConvolveByMember(torch::nn::Conv2d& conv, const torch::Tensor& r, const torch::Tensor& s,
                               const torch::Tensor& x) {
  const torch::Tensor members = torch::arange(x.size(0), s.options().dtype(torch::kInt64)).remainder(s.size(0));
  // [N, channels, 1, 1] of the type of what they scale: a float32 factor would make all of it float32 under autocast.
  const auto of_pictures = [&members](const torch::Tensor& factors, torch::ScalarType type) {
    return factors.index_select(0, members).to(type).unsqueeze(2).unsqueeze(3);
  };
  torch::Tensor y = ConvolveWith(conv->options, x * of_pictures(s, x.scalar_type()), conv->weight, {});
  y = y * of_pictures(r, y.scalar_type());
  return conv->bias.defined() ? y + conv->bias.to(y.scalar_type()).reshape({1, -1, 1, 1}) : y;
}

torch::Tensor MemberWeight(const torch::Tensor& weight, const torch::Tensor& r, const torch::Tensor& s) {
  const bool is_depthwise = weight.size(1) != s.size(0);
  return weight * r.reshape({-1, 1, 1, 1}) * (is_depthwise ? s.reshape({-1, 1, 1, 1}) : s.reshape({1, -1, 1, 1}));
}

}  // namespace candor
