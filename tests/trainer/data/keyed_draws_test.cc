// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/keyed_draws.h"

#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

// First outputs of splitmix64.c (Vigna) for the seed 1234567, as published with it and used by many libraries' tests.
TEST(KeyedDrawsTest, TheStreamIsSplitMix64) {
  KeyedDraws draws(1234567);
  EXPECT_EQ(draws.Next(), 6457827717110365317u);
  EXPECT_EQ(draws.Next(), 3203168211198807973u);
  EXPECT_EQ(draws.Next(), 9817491932198370423u);
}

TEST(KeyedDrawsTest, NumbersBelowABoundAreSpreadEvenly) {
  KeyedDraws draws(1);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70000; ++i) ++counts[static_cast<size_t>(draws.Below(7))];
  for (int count : counts) EXPECT_NEAR(count, 10000, 400);  // 4.3 standard deviations
}

TEST(KeyedDrawsTest, UniformNumbersHaveTheMeanAndVarianceOfTheirInterval) {
  KeyedDraws draws(2);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = draws.Uniform(2, 4);
    ASSERT_GE(value, 2);
    ASSERT_LT(value, 4);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 1e5, 3, 0.01);
  EXPECT_NEAR(squares / 1e5 - 9, 4.0 / 12, 0.06);
}

TEST(KeyedDrawsTest, KeysDifferByPurposeFieldAndPlaceOfTheField) {
  const std::set<uint64_t> keys = {
      KeyedDraws::KeyOf(DrawPurpose::kAugment, {0, 0, 1}), KeyedDraws::KeyOf(DrawPurpose::kAugment, {0, 1, 0}),
      KeyedDraws::KeyOf(DrawPurpose::kAugment, {1, 0, 0}), KeyedDraws::KeyOf(DrawPurpose::kAugment, {0, 0}),
      KeyedDraws::KeyOf(DrawPurpose::kRedraw, {0, 0, 1}),  KeyedDraws::KeyOf(DrawPurpose::kAugment, {0, 0, 0})};
  EXPECT_EQ(keys.size(), 6u);
}

}  // namespace
}  // namespace candor
