// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/quantise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/tests/hwy_gtest.h"
#include "tests/core/kernels/test_map.h"

namespace candor {
namespace {

template <class T>
std::vector<T> Stored(const std::vector<float>& values) {
  std::vector<T> stored(values.size());
  for (size_t i = 0; i < values.size(); ++i) Assign(values[i], &stored[i]);
  return stored;
}

class QuantiseTest : public hwy::TestWithParamTarget {};
HWY_TARGET_INSTANTIATE_TEST_SUITE_P(QuantiseTest);

template <class T>
void CheckCodes(size_t count) {
  const float scale = 1.0F / 128;  // so that products are exact
  std::vector<float> reals = RandomFloats(count, 3);
  for (float& real : reals) real = 1.2F + 1.5F * real;  // some below 0, some above 255 / 128
  const std::vector<T> values = Stored<T>(reals);
  std::vector<uint8_t> codes(count + 1, 77);
  Quantise(values.data(), count, scale, codes.data());
  for (size_t i = 0; i < count; ++i) {
    const double want = std::clamp(std::nearbyint(ToDouble(values[i]) / scale), 0.0, 255.0);
    ASSERT_EQ(codes[i], want) << ToDouble(values[i]) << ", element " << i << " of " << count;
  }
  EXPECT_EQ(codes[count], 77);
}

TEST_P(QuantiseTest, RoundsToNearestEvenAndSaturates) {
  for (const size_t count : {0, 1, 7, 16, 64, 131}) {
    CheckCodes<float>(count);
    CheckCodes<uint16_t>(count);
  }
  const std::vector<float> values = {0.5,
                                     1.5,
                                     2.5,
                                     -0.0F,
                                     -3,
                                     254.5,
                                     255.5,
                                     1e30F,
                                     std::numeric_limits<float>::infinity(),
                                     std::numeric_limits<float>::quiet_NaN()};
  std::vector<uint8_t> codes(values.size());
  Quantise(values.data(), values.size(), 1, codes.data());
  EXPECT_EQ(codes, (std::vector<uint8_t>{0, 2, 2, 0, 0, 254, 255, 255, 255, 0}));
}

TEST_P(QuantiseTest, EveryCodeComesBack) {
  std::vector<uint8_t> codes(256);
  for (int i = 0; i < 256; ++i) codes[i] = static_cast<uint8_t>(i);
  std::vector<float> floats(256);
  std::vector<uint16_t> bfloats(256);
  Dequantise(codes.data(), 256, 0.3F, floats.data());
  Dequantise(codes.data(), 256, 0.3F, bfloats.data());
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(floats[i], 0.3F * static_cast<float>(i));
    EXPECT_NEAR(ToDouble(bfloats[i]), floats[i], floats[i] / 256);
  }
  std::vector<uint8_t> again(256);
  Quantise(floats.data(), 256, 0.3F, again.data());
  EXPECT_EQ(again, codes);
}

}  // namespace
}  // namespace candor
