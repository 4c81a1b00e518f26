// SPDX-License-Identifier: Apache-2.0
#include "client/gathered_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace candor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

BytePieces InPieces(absl::string_view bytes, size_t piece_bytes) {
  BytePieces pieces;
  for (size_t i = 0; i < bytes.size(); i += piece_bytes) pieces.push_back(bytes.substr(i, piece_bytes));
  return pieces;
}

TEST(GatherFloatsTest, PiecesMayEndInTheMidstOfAValue) {
  std::vector<float> values(50'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) + 0.25F;
  const absl::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  for (const size_t piece_bytes : {1UL, 3UL, 8192UL, 40'001UL, bytes.size()}) {
    EXPECT_EQ(GatherFloats(InPieces(bytes, piece_bytes)), values) << piece_bytes;
  }
  EXPECT_THAT(GatherFloats({}), IsEmpty());
}

// Every half there is, by IEEE 754: 1 + 5 + 10 bits.
TEST(GatherHalvesTest, EachIsItsValue) {
  std::vector<uint16_t> halves(1 << 16);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  const absl::string_view bytes(reinterpret_cast<const char*>(halves.data()), halves.size() * sizeof(uint16_t));
  const std::vector<float> values = GatherHalves(InPieces(bytes, 1001));
  ASSERT_EQ(values.size(), halves.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const int exponent = static_cast<int>(i >> 10 & 31);
    const auto digits = static_cast<float>(i & 1023);
    const float sign = (i & 0x8000) == 0 ? 1 : -1;
    if (exponent == 31 && digits > 0) {
      EXPECT_TRUE(std::isnan(values[i])) << i;
    } else if (exponent == 31) {
      EXPECT_EQ(values[i], sign * std::numeric_limits<float>::infinity()) << i;
    } else {
      const float fraction = exponent == 0 ? digits : 1024 + digits;
      EXPECT_EQ(values[i], sign * std::ldexp(fraction, std::max(exponent, 1) - 25)) << i;
      EXPECT_EQ(std::signbit(values[i]), sign < 0) << i;
    }
  }
}

TEST(GatherBytesTest, PutsPiecesOneAfterAnother) {
  EXPECT_THAT(GatherBytes({absl::string_view("\1\2", 2), absl::string_view("\377", 1)}), ElementsAre(1, 2, 255));
}

TEST(PiecesOfTest, AFieldHoldsItsBytesOrAPlaceholderForThem) {
  EXPECT_THAT(PiecesOf("bytes", nullptr), ElementsAre("bytes"));
  EXPECT_THAT(PiecesOf("", nullptr), IsEmpty());
  SplitMessage split;
  split.fields = {{"first"}, {"sec", "ond"}};
  EXPECT_THAT(PiecesOf(LargeFieldPlaceholder(1), &split), ElementsAre("sec", "ond"));
  EXPECT_THAT(PiecesOf(LargeFieldPlaceholder(2), &split), IsEmpty());
  EXPECT_THAT(PiecesOf("", &split), IsEmpty());
}

TEST(AreUncertaintiesTest, OneWrongValueAnywhereIsFound) {
  using Limits = std::numeric_limits<float>;
  std::vector<float> values(37, 0.5F);
  values[0] = 0;
  values[1] = Limits::max();
  values[2] = -0.0F;
  values[3] = Limits::denorm_min();
  EXPECT_TRUE(AreUncertainties(values));
  EXPECT_TRUE(AreUncertainties({}));
  for (const float wrong : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), -Limits::denorm_min()}) {
    for (const size_t i : {size_t{0}, size_t{17}, size_t{36}}) {
      std::vector<float> changed = values;
      changed[i] = wrong;
      EXPECT_FALSE(AreUncertainties(changed)) << wrong << " at " << i;
    }
  }
}

}  // namespace
}  // namespace candor
