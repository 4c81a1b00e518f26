// SPDX-License-Identifier: Apache-2.0
#include "core/nn/normal_noise.h"

#include <cmath>

#include "gtest/gtest.h"

namespace candor {
namespace {

// Moments of N(0, 1) are 0, 1, 0 and 3; their estimates from n draws have variances 1/n, 2/n, 15/n and 96/n.
TEST(NormalNoiseTest, HasTheMomentsOfANormal) {
  const torch::Tensor noise = NormalNoise(5, {400, 500}).to(torch::kFloat64);
  const double n = static_cast<double>(noise.numel());
  EXPECT_NEAR(noise.mean().item<double>(), 0, 4 / std::sqrt(n));
  EXPECT_NEAR(noise.pow(2).mean().item<double>(), 1, 4 * std::sqrt(2 / n));
  EXPECT_NEAR(noise.pow(3).mean().item<double>(), 0, 4 * std::sqrt(15 / n));
  EXPECT_NEAR(noise.pow(4).mean().item<double>(), 3, 4 * std::sqrt(96 / n));
}

// SplitMix64 and Box-Muller by their definitions, in Python.
TEST(NormalNoiseTest, DependsOnItsArgumentsOnly) {
  const torch::Tensor first = NormalNoise(0, {3});
  const torch::Tensor fourth = NormalNoise(3, {3});
  const double expected[2][3] = {{-0.494578766, -0.877141300, -2.695592693}, {0.742713293, 0.566306193, -0.649526911}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(first[i].item<double>(), expected[0][i], 1e-5) << i;
    EXPECT_NEAR(fourth[i].item<double>(), expected[1][i], 1e-5) << i;
  }
  EXPECT_TRUE(torch::equal(NormalNoise(7, {200, 300}), NormalNoise(7, {60000}).reshape({200, 300})));
}

TEST(NormalNoiseTest, StreamsAndNeighboursAreUncorrelated) {
  const torch::Tensor noise = NormalNoise(8, {100000});
  const double bound = 5 / std::sqrt(1e5);  // five standard errors
  EXPECT_LT(std::abs((noise * NormalNoise(9, {100000})).mean().item<double>()), bound);
  EXPECT_LT(std::abs((noise * NormalNoise(8 + (1 << 10), {100000})).mean().item<double>()), bound);
  EXPECT_LT(std::abs((noise * noise.roll({1}, {0})).mean().item<double>()), bound);
}

}  // namespace
}  // namespace candor
