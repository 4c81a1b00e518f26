// SPDX-License-Identifier: Apache-2.0
//
// Winograd's convolutions against ATen's plain ones.
#include "core/engine/winograd_conv.h"

#include <ATen/Parallel.h>

#include "core/engine/conv_layer.h"
#include "core/engine/cpu_features.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using torch::Tensor;

Tensor Nhwc(const Tensor& x) { return x.contiguous(torch::MemoryFormat::ChannelsLast); }

struct Case {
  int64_t n, in, out, height, width, dilation;
};

class WinogradConvTest : public testing::TestWithParam<Case> {
 protected:
  WinogradConvTest() {
    torch::manual_seed(3);
    const auto [n, in, out, height, width, dilation] = GetParam();
    weight_ = torch::randn({out, in, 3, 3}) / std::sqrt(static_cast<double>(in * 9));
    bias_ = torch::randn({out});
    x_ = Nhwc(torch::randn({n, in, height, width}));
    geometry_ = {1, dilation, dilation};
    plain_ = torch::conv2d(x_.to(torch::kDouble), weight_.to(torch::kDouble), bias_.to(torch::kDouble), 1, dilation,
                           dilation);
  }

  double Error(const Tensor& y, const Tensor& want) const { return (y - want).abs().max().item<double>(); }

  torch::InferenceMode inference_;
  Tensor weight_, bias_, x_, plain_;
  ConvGeometry geometry_;
};

// Results are of the order of 1; transforms by factors of up to 74 lose some 5 bits of the 24, and the worst of half a
// million results counts.
constexpr double kTolerance = 1e-4;

TEST_P(WinogradConvTest, GivesTheConvolution) {
  ASSERT_TRUE(WinogradConv::Suits(weight_, geometry_, torch::kFloat));
  const WinogradConv conv(weight_, bias_, geometry_, torch::kFloat);
  const Tensor y = conv.Run(x_, Activation::kNone);
  EXPECT_TRUE(y.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_LT(Error(y, plain_), kTolerance);
  EXPECT_LT(Error(conv.Run(x_, Activation::kRelu), torch::relu(plain_)), kTolerance);
}

TEST_P(WinogradConvTest, AddsInPlaceBeforeTheRelu) {
  Tensor sum = Nhwc(torch::randn(plain_.sizes()));
  const Tensor want = torch::relu(plain_ + sum);
  const void* data = sum.data_ptr();
  WinogradConv(weight_, bias_, geometry_, torch::kFloat).AddTo(x_, sum);
  EXPECT_EQ(sum.data_ptr(), data);
  EXPECT_LT(Error(sum, want), kTolerance);
}

TEST_P(WinogradConvTest, StaysCloseInBfloat16) {
  if (!HasNativeBf16()) GTEST_SKIP() << "no bfloat16 products on this processor";
  const WinogradConv conv(weight_, bias_, geometry_, torch::kBFloat16);
  const Tensor x = x_.to(torch::kBFloat16);
  const Tensor want = torch::conv2d(x.to(torch::kDouble), weight_.to(torch::kDouble), bias_.to(torch::kDouble), 1,
                                    geometry_.dilation, geometry_.dilation);
  const Tensor y = conv.Run(x, Activation::kNone);
  EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
  EXPECT_TRUE(y.is_contiguous(torch::MemoryFormat::ChannelsLast));
  const auto relative = [](const Tensor& got, const Tensor& wanted) {
    return ((got.to(torch::kDouble) - wanted).norm() / wanted.norm()).item<double>();
  };
  EXPECT_LT(relative(y, want), 0.015);
  EXPECT_LT(Error(y.to(torch::kDouble), want), 0.15);
  Tensor sum = Nhwc(torch::randn(want.sizes())).to(torch::kBFloat16);
  const Tensor added = torch::relu(want + sum.to(torch::kDouble));
  conv.AddTo(x, sum);
  EXPECT_LT(relative(sum, added), 0.015);
}

TEST_P(WinogradConvTest, ThreadsDoNotChangeTheAnswer) {
  const WinogradConv conv(weight_, bias_, geometry_, torch::kFloat);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Tensor one = conv.Run(x_, Activation::kRelu);
  at::set_num_threads(3);
  const Tensor three = conv.Run(x_, Activation::kRelu);
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(one, three));
}

TEST_P(WinogradConvTest, TheLayerTakesThisForm) {
  for (const torch::ScalarType type : {torch::kFloat, torch::kBFloat16}) {
    if (!WinogradConv::Suits(weight_, geometry_, type)) continue;
    ConvLayer layer(weight_, bias_, geometry_, type);
    EXPECT_EQ(layer.out_channels(), weight_.size(0));
    const Tensor x = x_.to(type);
    const Tensor y = layer.PackFor(x.sizes()).Run(x, Activation::kNone);
    EXPECT_TRUE(torch::equal(y, WinogradConv(weight_, bias_, geometry_, type).Run(x, Activation::kNone))) << type;
  }
}

// Few tiles and many, within and across pictures, blocks of channels that are whole and not.
INSTANTIATE_TEST_SUITE_P(Shapes, WinogradConvTest,
                         testing::Values(Case{1, 64, 64, 92, 120, 1}, Case{2, 32, 32, 46, 60, 1},
                                         Case{1, 256, 512, 23, 30, 2}, Case{3, 64, 80, 13, 17, 2},
                                         Case{5, 32, 144, 30, 31, 1}, Case{1, 32, 32, 1, 1, 1}));

TEST(WinogradConvSuitsTest, TakesPlainThreeByThreeOnly) {
  const Tensor weight = torch::zeros({64, 64, 3, 3});
  EXPECT_TRUE(WinogradConv::Suits(weight, {1, 1, 1}, torch::kFloat));
  EXPECT_TRUE(WinogradConv::Suits(weight, {1, 2, 2}, torch::kFloat));
  EXPECT_FALSE(WinogradConv::Suits(weight, {2, 1, 1}, torch::kFloat));
  EXPECT_FALSE(WinogradConv::Suits(weight, {1, 1, 2}, torch::kFloat));
  EXPECT_LE(WinogradConv::Suits(weight, {1, 1, 1}, torch::kBFloat16), HasNativeBf16());
  EXPECT_FALSE(WinogradConv::Suits(weight, {1, 1, 1}, torch::kHalf));
  EXPECT_FALSE(WinogradConv::Suits(torch::zeros({64, 64, 1, 1}), {1, 0, 1}, torch::kFloat));
  EXPECT_FALSE(WinogradConv::Suits(torch::zeros({64, 40, 3, 3}), {1, 1, 1}, torch::kFloat));
  EXPECT_FALSE(WinogradConv::Suits(torch::zeros({16, 64, 3, 3}), {1, 1, 1}, torch::kFloat));
}

TEST(WinogradConvTypesTest, TakesMapsOfItsTypeOnly) {
  const Tensor weight = torch::zeros({32, 32, 3, 3});
  const WinogradConv conv(weight, torch::zeros({32}), {1, 1, 1}, torch::kFloat);
  const Tensor x = Nhwc(torch::zeros({1, 32, 4, 4}));
  Tensor bfloats = x.to(torch::kBFloat16);
  EXPECT_THROW(conv.Run(bfloats, Activation::kNone), c10::Error);
  EXPECT_THROW(conv.AddTo(x, bfloats), c10::Error);
  EXPECT_THROW(WinogradConv(weight, torch::zeros({32}), {1, 1, 1}, torch::kHalf), c10::Error);
}

}  // namespace
}  // namespace candor
