// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/derived_seed.h"

#include <set>

#include "gtest/gtest.h"

namespace candor {
namespace {

// First outputs of splitmix64.c (Vigna 2015) for these states.
TEST(DerivedSeedTest, OneNumberIsSplitMix64sFirstOutput) {
  EXPECT_EQ(DerivedSeed({0}), 0xe220a8397b1dcdafu);
  EXPECT_EQ(DerivedSeed({1234567}), 6457827717110365317u);
}

TEST(DerivedSeedTest, OrderAndLengthCount) {
  const std::set<uint64_t> seeds = {DerivedSeed({}),     DerivedSeed({0}),    DerivedSeed({0, 0}),
                                    DerivedSeed({1, 2}), DerivedSeed({2, 1}), DerivedSeed({1, 2, 0})};
  EXPECT_EQ(seeds.size(), 6u);
}

}  // namespace
}  // namespace candor
