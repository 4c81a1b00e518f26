// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/max_pool.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/tests/hwy_gtest.h"
#include "tests/core/kernels/test_map.h"

namespace candor {
namespace {

// TestMap's values are those of its storage: here the bits of floats.
uint32_t Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// A map of the bits of float32 or bfloat16 values, as a ReLU gives them.
template <class T>
std::vector<T> ReluResults(size_t count, unsigned seed) {
  std::vector<T> bits;
  for (const float value : RandomFloats(count, seed)) {
    bits.push_back(static_cast<T>(Bits(std::max(0.0F, value)) >> (32 - 8 * sizeof(T))));
  }
  return bits;
}

template <class T>
void CheckSize(const MapSize& size) {
  const int padding = 3;
  const ptrdiff_t stride = size.channels + padding;
  const std::vector<T> input = ReluResults<T>(size.height * size.width * stride, 3);
  const int out_height = (size.height + 1) / 2;
  const int out_width = (size.width + 1) / 2;
  std::vector<T> output(out_height * out_width * stride, 77);
  MaxPoolOfRelu(size, {input.data(), stride, size.width * stride}, 0, out_height,
                {output.data(), stride, out_width * stride});
  for (int y = 0; y < out_height; ++y) {
    for (int x = 0; x < out_width; ++x) {
      for (int c = 0; c < stride; ++c) {
        T greatest = 0;
        for (int row = std::max(0, 2 * y - 1); row <= std::min(size.height - 1, 2 * y + 1); ++row) {
          for (int column = std::max(0, 2 * x - 1); column <= std::min(size.width - 1, 2 * x + 1); ++column) {
            greatest = std::max(greatest, input[(row * size.width + column) * stride + c]);
          }
        }
        ASSERT_EQ(output[(y * out_width + x) * stride + c], c < size.channels ? greatest : 77)
            << size.height << "x" << size.width << "x" << size.channels << " at " << y << ", " << x << ", " << c;
      }
    }
  }
}

class MaxPoolTest : public hwy::TestWithParamTarget {};
HWY_TARGET_INSTANTIATE_TEST_SUITE_P(MaxPoolTest);

TEST_P(MaxPoolTest, TakesTheGreatestOfEachWindow) {
  for (const MapSize& size :
       std::vector<MapSize>{{8, 8, 64}, {7, 9, 16}, {1, 1, 1}, {2, 1, 35}, {1, 6, 33}, {16, 24, 5}}) {
    CheckSize<uint32_t>(size);
    CheckSize<uint16_t>(size);
  }
}

TEST_P(MaxPoolTest, WritesTheRowsAskedFor) {
  const std::vector<uint32_t> input = ReluResults<uint32_t>(8 * 8 * 4, 5);
  std::vector<uint32_t> output(4 * 4 * 4, 77);
  MaxPoolOfRelu({8, 8, 4}, {input.data(), 4, 32}, 1, 3, {output.data(), 4, 16});
  EXPECT_EQ(output[15], 77);
  EXPECT_NE(output[16], 77);
  EXPECT_NE(output[47], 77);
  EXPECT_EQ(output[48], 77);
}

TEST_P(MaxPoolTest, NaNsOfEitherSignPassAndMinusZeroIsZero) {
  for (const uint16_t nan : {0x7FC0, 0xFFC0}) {
    const std::vector<uint16_t> input = {0x3F80, nan, 0x8000, 0x7F80};  // 1, NaN, -0, infinity; each a channel's
    std::vector<uint16_t> output(4);
    MaxPoolOfRelu({1, 1, 4}, {input.data(), 4, 4}, 0, 1, {output.data(), 4, 4});
    EXPECT_EQ(output, (std::vector<uint16_t>{0x3F80, 0x7FC0, 0, 0x7F80}));
  }
}

}  // namespace
}  // namespace candor
