// SPDX-License-Identifier: Apache-2.0
//
// IEEE 754 binary16 and bfloat16 by their definitions; every bit pattern is tried.
#include "core/base/float16.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "gtest/gtest.h"

namespace candor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Float16Test, EveryHalfIsItsDefinition) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>((bits >> 10) & 31);
    const int mantissa = static_cast<int>(bits & 1023);
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    const float value = HalfToFloat(static_cast<uint16_t>(bits));
    if (exponent == 31 && mantissa != 0) {
      ASSERT_TRUE(std::isnan(value)) << bits;
    } else if (exponent == 31) {
      ASSERT_EQ(value, sign * kInfinity) << bits;
    } else {
      const double expected =
          exponent == 0 ? sign * std::ldexp(mantissa, -24) : sign * std::ldexp(1024 + mantissa, exponent - 25);
      ASSERT_EQ(value, expected) << bits;
      ASSERT_EQ(std::signbit(value), sign < 0) << bits;
    }
  }
}

TEST(Float16Test, EveryPatternSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    ASSERT_EQ(FloatToHalf(HalfToFloat(static_cast<uint16_t>(bits))), bits);
    ASSERT_EQ(FloatToBfloat16(Bfloat16ToFloat(static_cast<uint16_t>(bits))), bits);
  }
}

TEST(Float16Test, BetweenTwoHalvesTheNearerIsTakenAndTiesGoToEven) {
  for (uint16_t low = 0; low < 0x7bff; ++low) {  // 0x7bff is 65504, the largest
    const float a = HalfToFloat(low);
    const float b = HalfToFloat(static_cast<uint16_t>(low + 1));
    const float middle = a + (b - a) / 2;  // exact in float
    const uint16_t even = low % 2 == 0 ? low : static_cast<uint16_t>(low + 1);
    ASSERT_EQ(FloatToHalf(middle), even) << low;
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, 0.0f)), low) << low;
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, kInfinity)), low + 1) << low;
    ASSERT_EQ(FloatToHalf(-middle), even | 0x8000) << low;
  }
}

TEST(Float16Test, KnownValues) {
  EXPECT_EQ(FloatToHalf(1.0f), 0x3c00);
  EXPECT_EQ(FloatToHalf(-2.0f), 0xc000);
  EXPECT_EQ(FloatToHalf(65504.0f), 0x7bff);
  EXPECT_EQ(FloatToHalf(1.0f / 3), 0x3555);
  EXPECT_EQ(FloatToHalf(0x1p-24f), 0x0001);
  EXPECT_EQ(FloatToHalf(-0.0f), 0x8000);
  EXPECT_EQ(FloatToBfloat16(1.0f), 0x3f80);
  EXPECT_EQ(FloatToBfloat16(3.14159265f), 0x4049);
}

TEST(Float16Test, TooLargeIsInfinityAndTooSmallIsZero) {
  EXPECT_EQ(FloatToHalf(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(FloatToHalf(65520.0f), 0x7c00);
  EXPECT_EQ(FloatToHalf(-1e30f), 0xfc00);
  EXPECT_EQ(FloatToHalf(kInfinity), 0x7c00);
  EXPECT_EQ(FloatToHalf(0x1p-25f), 0x0000);
  EXPECT_EQ(FloatToHalf(1e-40f), 0x0000);
  EXPECT_EQ(FloatToBfloat16(std::numeric_limits<float>::max()), 0x7f80);
}

TEST(Float16Test, NanStaysNan) {
  uint32_t bits = 0x7f800001;  // its payload lies entirely in the bits that are cut off
  float nan;
  std::memcpy(&nan, &bits, sizeof(nan));
  EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(nan))));
  EXPECT_TRUE(std::isnan(Bfloat16ToFloat(FloatToBfloat16(nan))));
  EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(std::nanf("")))));
}

TEST(Float16Test, Bfloat16RoundsToNearestTiesToEven) {
  EXPECT_EQ(FloatToBfloat16(1.0f + 0x1p-8f), 0x3f80);             // tie, 0x3f80 is even
  EXPECT_EQ(FloatToBfloat16(1.0f + 0x1p-8f + 0x1p-20f), 0x3f81);  // above the tie
  EXPECT_EQ(FloatToBfloat16(1.0f + 3 * 0x1p-8f), 0x3f82);         // tie between 0x3f81 and 0x3f82
}

}  // namespace
}  // namespace candor
