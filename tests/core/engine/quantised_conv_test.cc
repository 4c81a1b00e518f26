// SPDX-License-Identifier: Apache-2.0
//
// Convolutions in 8 bits against ATen's in double, of what codes and weights stand for.
#include "core/engine/quantised_conv.h"

#include "core/engine/cpu_features.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using torch::Tensor;

Tensor Nhwc(const Tensor& x) { return x.contiguous(torch::MemoryFormat::ChannelsLast); }

// A result's distance from the exact one, in steps of the result: half a step is rounding.
constexpr double kSteps = 0.505;

struct Case {
  int64_t in, out, kernel;
  ConvGeometry geometry;
};

class QuantisedConvTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!HasNativeInt8()) GTEST_SKIP() << "no products of bytes on this processor";
    torch::manual_seed(4);
    const auto [in, out, kernel, geometry] = GetParam();
    const Tensor weight =
        torch::randn({out, in, kernel, kernel}) / std::sqrt(static_cast<double>(in * kernel * kernel));
    bias_ = torch::randn({out});
    codes_ = Nhwc(torch::randint(0, 256, {2, in, 13, 18}, torch::kByte));
    layer_ = QuantisedConvLayer(weight, bias_, geometry);
    // Weights as they are stored: rounded to 127 steps of each filter's largest.
    const Tensor step = weight.abs().amax({1, 2, 3}, /*keepdim=*/true).to(torch::kDouble) / 127;
    const Tensor stored = (weight.to(torch::kDouble) / step).round() * step;
    plain_ = torch::conv2d(Real(codes_, input_), stored, bias_.to(torch::kDouble), geometry.stride, geometry.padding,
                           geometry.dilation);
  }

  static Tensor Real(const Tensor& codes, const Quantisation& by) {
    return (codes.to(torch::kDouble) - static_cast<double>(by.zero)) * by.scale;
  }
  static double StepsBetween(const Tensor& codes, const Quantisation& by, const Tensor& want) {
    return (Real(codes, by) - want).abs().max().item<double>() / by.scale;
  }

  torch::InferenceMode inference_;
  Quantisation input_ = {0.01, 0};
  Tensor bias_, codes_, plain_;
  QuantisedConvLayer layer_;
};

TEST_P(QuantisedConvTest, RoundsTheConvolution) {
  const QuantisedConv conv = layer_.PackFor(codes_.sizes(), input_);
  const Quantisation whole = Quantisation::Of(plain_.min().item<double>(), plain_.max().item<double>());
  const Tensor y = conv.Run(codes_, whole, Activation::kNone);
  EXPECT_EQ(y.scalar_type(), torch::kByte);
  EXPECT_TRUE(y.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_LT(StepsBetween(y, whole, plain_), 1.005);  // the zero is rounded too
  const Quantisation positive = Quantisation::Of(0, plain_.max().item<double>());
  EXPECT_LT(StepsBetween(conv.Run(codes_, positive, Activation::kRelu), positive, torch::relu(plain_)), kSteps);
}

TEST_P(QuantisedConvTest, AddsInPlaceBeforeTheRelu) {
  const Quantisation before = {0.02, 90};
  Tensor sum = Nhwc(torch::randint(0, 256, plain_.sizes(), torch::kByte));
  const Tensor want = torch::relu(plain_ + Real(sum, before));
  const Quantisation after = Quantisation::Of(0, want.max().item<double>());
  const void* data = sum.data_ptr();
  layer_.PackFor(codes_.sizes(), input_).AddTo(codes_, before, after, sum);
  EXPECT_EQ(sum.data_ptr(), data);
  EXPECT_LT(StepsBetween(sum, after, want), kSteps);
}

INSTANTIATE_TEST_SUITE_P(Network, QuantisedConvTest,
                         testing::Values(Case{64, 64, 3, {1, 1, 1}}, Case{64, 128, 3, {2, 1, 1}},
                                         Case{64, 128, 1, {2, 0, 1}}, Case{32, 32, 3, {1, 2, 2}},
                                         Case{4, 8, 3, {2, 1, 1}}, Case{16, 20, 1, {}}));

TEST(QuantisationTest, HoldsTheRangeAndZero) {
  const Quantisation both = Quantisation::Of(-1, 3);
  EXPECT_DOUBLE_EQ(both.scale, 4.0 / 255);
  EXPECT_EQ(both.zero, 64);  // 63.75
  EXPECT_EQ(Quantisation::Of(0.5, 2).zero, 0);
  EXPECT_DOUBLE_EQ(Quantisation::Of(0.5, 2).scale, 2.0 / 255);
  EXPECT_EQ(Quantisation::Of(-2, -1).zero, 255);
  EXPECT_EQ(Quantisation::Of(0, 0).scale, 1);
}

}  // namespace
}  // namespace candor
