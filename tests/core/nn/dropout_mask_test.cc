// SPDX-License-Identifier: Apache-2.0
#include "core/nn/dropout_mask.h"

#include <cmath>

#include "gtest/gtest.h"

namespace candor {
namespace {

double Correlation(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor x = a - a.mean();
  const torch::Tensor y = b - b.mean();
  return ((x * y).mean() / (x.std(false) * y.std(false))).item<double>();
}

TEST(DropoutMaskTest, DropsItsShareAndKeepsTheMean) {
  for (const float rate : {0.05f, 0.2f, 0.5f}) {
    const torch::Tensor mask = DropoutMask(9, rate, 64, 50, 40);
    const auto count = static_cast<double>(mask.numel());
    const double dropped = (mask == 0).sum().item<double>() / count;
    EXPECT_NEAR(dropped, rate, 4 * std::sqrt(rate * (1 - rate) / count));  // four standard errors
    EXPECT_FLOAT_EQ(mask.max().item<float>(), 1 / (1 - rate));
    EXPECT_NEAR(mask.mean().item<double>(), 1, 0.01);
  }
}

TEST(DropoutMaskTest, DependsOnItsArgumentsOnly) {
  EXPECT_TRUE(torch::equal(DropoutMask(7, 0.2f, 8, 9, 10), DropoutMask(7, 0.2f, 8, 9, 10)));
  // MurmurHash3's finaliser of 1 is 0x514E28B7, and of that 0x2FEF5C8F, by its definition in Python: 0.1872 of 2^32.
  EXPECT_GT(DropoutMask(0, 0.1862f, 1, 1, 1).item<float>(), 0);
  EXPECT_EQ(DropoutMask(0, 0.1882f, 1, 1, 1).item<float>(), 0);
}

TEST(DropoutMaskTest, SeedsNeighboursAndChannelsAreUncorrelated) {
  const torch::Tensor mask = DropoutMask(1, 0.5f, 32, 64, 64);
  const double bound = 5 / std::sqrt(static_cast<double>(mask.numel()));  // five standard errors
  EXPECT_LT(std::abs(Correlation(mask, DropoutMask(2, 0.5f, 32, 64, 64))), bound);
  EXPECT_LT(std::abs(Correlation(mask, DropoutMask(5, 0.5f, 32, 64, 64))), bound);
  EXPECT_LT(std::abs(Correlation(mask, mask.roll({1}, {1}))), bound);
  EXPECT_LT(std::abs(Correlation(mask, mask.roll({1}, {3}))), bound);
}

}  // namespace
}  // namespace candor
