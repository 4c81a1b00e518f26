// SPDX-License-Identifier: Apache-2.0
#include "core/nn/rank_one.h"

#include <cmath>

#include "core/nn/convolve.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

class Holder : public torch::nn::Module {
 public:
  Holder(const torch::nn::Conv2dOptions& options, int64_t members)
      : conv(register_module("conv", torch::nn::Conv2d(options))) {
    ShareWeights(*this, members);
  }
  void Set(const char* name, const torch::Tensor& values) {
    const torch::NoGradGuard no_grad;
    conv->named_parameters(/*recurse=*/false)[name].copy_(values);
  }

  torch::nn::Conv2d conv;
};

// x = (1, 1), W = (1, 2): member 0 says 3 (1 * 1 + 2 * 0.5) + 1, member 1 says -1 (1 * 2 + 2 * 1) + 1.
TEST(RankOneTest, PicturesGoRoundTheMembers) {
  Holder holder(torch::nn::Conv2dOptions(2, 1, 1), 2);
  holder.Set("weight", torch::tensor({1.0f, 2.0f}).reshape({1, 2, 1, 1}));
  holder.Set("bias", torch::ones({1}));
  holder.Set(kInFactors, torch::tensor({{1.0f, 0.5f}, {2.0f, 1.0f}}));
  holder.Set(kOutFactors, torch::tensor({{3.0f}, {-1.0f}}));
  const torch::Tensor y = Convolve(holder.conv, torch::ones({3, 2, 1, 1}));
  EXPECT_TRUE(torch::allclose(y.flatten(), torch::tensor({7.0f, -3.0f, 7.0f})));
}

TEST(RankOneTest, ABatchSmallerThanTheMembersLeavesTheOthersWithoutAGradient) {
  Holder holder(torch::nn::Conv2dOptions(2, 3, 1), 4);
  Convolve(holder.conv, torch::ones({2, 2, 1, 1})).sum().backward();
  const torch::Tensor gradient = holder.conv->named_parameters()[kInFactors].grad();
  EXPECT_GT(gradient.slice(0, 0, 2).abs().min().item<double>(), 0);
  EXPECT_EQ(gradient.slice(0, 2).abs().max().item<double>(), 0);
}

TEST(RankOneTest, FactorsStartAroundOne) {
  torch::manual_seed(3);
  Holder holder(torch::nn::Conv2dOptions(64, 64, 1), 64);
  const double n = 64 * 64;
  for (const char* name : {kInFactors, kOutFactors}) {
    const torch::Tensor factors = holder.conv->named_parameters()[name].detach();
    EXPECT_NEAR(factors.mean().item<double>(), 1, 4 * 0.5 / std::sqrt(n)) << name;
    EXPECT_NEAR(factors.std().item<double>(), 0.5, 4 * 0.5 / std::sqrt(2 * n)) << name;
  }
}

TEST(RankOneTest, AMembersWeightIsTheSharedOneTimesItsFactors) {
  const torch::Tensor weight = torch::ones({2, 3, 1, 1});
  const torch::Tensor made = MemberWeight(weight, torch::tensor({2.0f, 5.0f}), torch::tensor({1.0f, 3.0f, 7.0f}));
  EXPECT_TRUE(torch::equal(made.flatten(), torch::tensor({2.0f, 6.0f, 14.0f, 5.0f, 15.0f, 35.0f})));
  const torch::Tensor depthwise =
      MemberWeight(torch::ones({2, 1, 1, 1}), torch::tensor({2.0f, 5.0f}), torch::tensor({3.0f, 7.0f}));
  EXPECT_TRUE(torch::equal(depthwise.flatten(), torch::tensor({6.0f, 35.0f})));
}

}  // namespace
}  // namespace candor
