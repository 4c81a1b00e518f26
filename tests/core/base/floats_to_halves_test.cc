// SPDX-License-Identifier: Apache-2.0
#include "core/base/floats_to_halves.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "core/base/float16.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

// Every exponent with mantissas at, below and above the ties, and each length up to several vectors.
TEST(FloatsToHalvesTest, ManyAtOnceAreTheSameAsOneByOne) {
  std::vector<float> values;
  for (uint32_t high = 0; high < 0x10000; high += 3) {
    for (const uint32_t low : {0x0000U, 0x0fffU, 0x1000U, 0x1001U, 0x2fffU, 0x3000U, 0xffffU}) {
      const uint32_t bits = high << 16 | low;
      float value;
      std::memcpy(&value, &bits, sizeof(value));
      if (!std::isnan(value)) values.push_back(value);
    }
  }
  std::vector<uint16_t> halves(values.size());
  FloatsToHalves(values, halves.data());
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(halves[i], FloatToHalf(values[i])) << values[i];
  for (size_t length = 0; length < 70; ++length) {
    std::vector<uint16_t> some(length + 1, 0xabcd);
    FloatsToHalves(absl::MakeSpan(values).subspan(1000, length), some.data());
    for (size_t i = 0; i < length; ++i) ASSERT_EQ(some[i], halves[1000 + i]);
    ASSERT_EQ(some[length], 0xabcd);
  }
  const std::vector<float> nans(40, std::nanf(""));
  FloatsToHalves(nans, halves.data());
  for (size_t i = 0; i < nans.size(); ++i) EXPECT_TRUE(std::isnan(HalfToFloat(halves[i])));
}

}  // namespace
}  // namespace candor
