// SPDX-License-Identifier: Apache-2.0
//
// The fused convolutions against ATen's plain ones.
#include "core/engine/packed_conv.h"

#include "core/engine/cpu_features.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using torch::Tensor;

Tensor Nhwc(const Tensor& x) { return x.contiguous(torch::MemoryFormat::ChannelsLast); }

// Weights, bias, an input and what they give, for every kernel and geometry that the network has.
struct Case {
  int64_t in, out, kernel;
  ConvGeometry geometry;
};

class PackedConvTest : public testing::TestWithParam<Case> {
 protected:
  PackedConvTest() {
    torch::manual_seed(3);
    const auto [in, out, kernel, geometry] = GetParam();
    weight_ = torch::randn({out, in, kernel, kernel}) / std::sqrt(static_cast<double>(in * kernel * kernel));
    bias_ = torch::randn({out});
    x_ = Nhwc(torch::randn({2, in, 24, 40}));
    layer_ = PackedConvLayer(weight_, bias_, geometry, torch::kFloat);
    plain_ = torch::conv2d(x_, weight_, bias_, geometry.stride, geometry.padding, geometry.dilation);
  }

  torch::InferenceMode inference_;
  Tensor weight_, bias_, x_, plain_;
  PackedConvLayer layer_;
};

TEST_P(PackedConvTest, GivesTheConvolution) {
  const Tensor y = layer_.PackFor(x_.sizes()).Run(x_, Activation::kNone);
  EXPECT_TRUE(y.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_LT((y - plain_).abs().max().item<float>(), 2e-5);
}

TEST_P(PackedConvTest, FusesTheRelu) {
  const Tensor y = layer_.PackFor(x_.sizes()).Run(x_, Activation::kRelu);
  EXPECT_LT((y - torch::relu(plain_)).abs().max().item<float>(), 2e-5);
  EXPECT_EQ(y.min().item<float>(), 0);
}

TEST_P(PackedConvTest, TakesAnotherBias) {
  const Tensor bias = torch::randn({weight_.size(0)});
  const Tensor y = layer_.PackFor(x_.sizes()).Run(x_, bias, Activation::kNone);
  EXPECT_LT((y - (plain_ + (bias - bias_).reshape({1, -1, 1, 1}))).abs().max().item<float>(), 2e-5);
}

TEST_P(PackedConvTest, AddsInPlaceBeforeTheRelu) {
  Tensor sum = Nhwc(torch::randn(plain_.sizes()));
  const Tensor want = torch::relu(plain_ + sum);
  const void* data = sum.data_ptr();
  layer_.PackFor(x_.sizes()).AddTo(x_, sum);
  EXPECT_EQ(sum.data_ptr(), data);
  EXPECT_LT((sum - want).abs().max().item<float>(), 2e-5);
}

TEST_P(PackedConvTest, RoundsToBfloat16) {
  if (!HasNativeBf16()) GTEST_SKIP() << "no bfloat16 products on this processor";
  PackedConvLayer layer(weight_, bias_, GetParam().geometry, torch::kBFloat16);
  const Tensor x = x_.to(torch::kBFloat16);
  const PackedConv conv = layer.PackFor(x.sizes());
  const Tensor y = conv.Run(x, Activation::kNone);
  EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
  // Inputs, weights and results round to 8 bits; errors of products are independent, so their sum is small.
  EXPECT_LT((y - plain_).abs().max().item<float>(), 0.05);
  Tensor sum = torch::ones_like(y);
  conv.AddTo(x, sum);
  EXPECT_LT((sum - torch::relu(plain_ + 1)).abs().max().item<float>(), 0.06);
}

INSTANTIATE_TEST_SUITE_P(Network, PackedConvTest,
                         testing::Values(Case{3, 64, 7, {2, 3, 1}}, Case{64, 64, 3, {1, 1, 1}},
                                         Case{64, 128, 3, {2, 1, 1}}, Case{64, 128, 1, {2, 0, 1}},
                                         Case{32, 32, 3, {1, 2, 2}}, Case{256, 20, 1, {}}, Case{3, 4, 7, {2, 3, 1}},
                                         Case{4, 3, 1, {}}, Case{4, 8, 3, {2, 1, 1}}, Case{35, 16, 1, {}}));

TEST(PackedConvLayerTest, PacksForManyShapes) {
  const torch::InferenceMode inference;
  const Tensor weight = torch::randn({16, 8, 3, 3}) / 8;
  PackedConvLayer layer(weight, torch::zeros({16}), {1, 1, 1}, torch::kFloat);
  const int64_t shapes[][3] = {{1, 4, 4}, {1, 92, 120}, {3, 12, 20}, {1, 4, 4}};
  for (const auto& [n, height, width] : shapes) {
    const Tensor x = Nhwc(torch::randn({n, 8, height, width}));
    const Tensor y = layer.PackFor(x.sizes()).Run(x, Activation::kNone);
    EXPECT_LT((y - torch::conv2d(x, weight, {}, 1, 1)).abs().max().item<float>(), 2e-5);
  }
}

}  // namespace
}  // namespace candor
