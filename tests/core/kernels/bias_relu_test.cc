// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/bias_relu.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

// A float32's upper half, rounded to nearest even by arithmetic on its bits.
uint16_t Rounded(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

constexpr int kRows = 3;
constexpr int kStride = 80;

std::vector<float> Values() {
  std::vector<float> values(kRows * kStride);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i)) * 3;
  return values;
}

TEST(BiasReluTest, AddsTheBiasAndCutsAtZero) {
  const std::vector<float> in = Values();
  const std::vector<float> bias(kStride, 0.5F);
  for (const int columns : {1, 2, 5, 16, 33, 64, 79}) {
    std::vector<float> floats(kRows * kStride, -1);
    std::vector<uint16_t> bfloats(kRows * kStride, 7);
    BiasRelu(in.data(), kStride, bias.data(), kRows, columns, floats.data(), kStride);
    BiasRelu(in.data(), kStride, bias.data(), kRows, columns, bfloats.data(), kStride);
    for (int i = 0; i < kRows * kStride; ++i) {
      const bool is_inside = i % kStride < columns;
      const float want = std::fmax(0.0F, in[i] + 0.5F);
      EXPECT_EQ(floats[i], is_inside ? want : -1) << columns << " columns, element " << i;
      EXPECT_EQ(bfloats[i], is_inside ? Rounded(want) : 7) << columns << " columns, element " << i;
    }
  }
}

TEST(BiasReluTest, LetsNanThrough) {
  const std::vector<float> in(40, std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> bias(40, 1);
  std::vector<float> floats(40);
  std::vector<uint16_t> bfloats(40);
  BiasRelu(in.data(), 40, bias.data(), 1, 40, floats.data(), 40);
  BiasRelu(in.data(), 40, bias.data(), 1, 40, bfloats.data(), 40);
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(std::isnan(floats[i])) << i;
    EXPECT_EQ(bfloats[i] & 0x7F80, 0x7F80) << i;
    EXPECT_NE(bfloats[i] & 0x007F, 0) << i;
  }
}

}  // namespace
}  // namespace candor
