// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/dilated_depthwise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/tests/hwy_gtest.h"
#include "tests/core/kernels/test_map.h"

namespace candor {
namespace {

// In double, straight from the definition.
template <class T>
double Reference(const TestMap<T>& input, const DepthwiseFilter& filter, int dilation, int y, int x, int c) {
  const int channels = input.size().channels;
  double sum = filter.bias == nullptr ? 0 : filter.bias[c];
  for (int ky = 0; ky < 3; ++ky) {
    for (int kx = 0; kx < 3; ++kx) {
      sum += input.Padded(y + (ky - 1) * dilation, x + (kx - 1) * dilation, c) *
             filter.weights[(3 * ky + kx) * channels + c];
    }
  }
  return filter.has_relu ? std::max(0.0, sum) : sum;
}

// Ten products of at most 2 x 1 in fp32; and for bfloat16 half a unit in the last of its 8 digits.
double Tolerance(const float* /*storage*/, double /*value*/) { return 20 * 10 * 6e-8; }
double Tolerance(const uint16_t* /*storage*/, double value) { return 20 * 10 * 6e-8 + std::abs(value) / 256; }

template <class T>
void ExpectConvolved(const TestMap<T>& input, const DepthwiseFilter& filter, int dilation, const TestMap<T>& output) {
  const MapSize& size = input.size();
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      for (int c = 0; c < size.channels; ++c) {
        const double expected = Reference(input, filter, dilation, y, x, c);
        ASSERT_NEAR(ToDouble(output.At(y, x, c)), expected, Tolerance(input.values().data(), expected))
            << size.height << "x" << size.width << "x" << size.channels << " dilation " << dilation << " at " << y
            << ", " << x << ", " << c;
      }
    }
  }
}

template <class T>
void CheckCase(const MapSize& size, int dilation, bool has_bias, bool has_relu) {
  TestMap<T> input(size, /*pixel_padding=*/3, /*row_padding=*/5);
  input.FillAtRandom(1);
  TestMap<T> output(size, /*pixel_padding=*/2, /*row_padding=*/7);
  const std::vector<float> weights = RandomFloats(9 * size.channels, 2);
  const std::vector<float> bias = RandomFloats(size.channels, 3);
  const DepthwiseFilter filter{weights.data(), has_bias ? bias.data() : nullptr, has_relu};
  DilatedDepthwise(size, std::as_const(input).view(), filter, dilation, 0, size.height, output.view());
  ExpectConvolved(input, filter, dilation, output);
}

class DilatedDepthwiseTest : public hwy::TestWithParamTarget {};
HWY_TARGET_INSTANTIATE_TEST_SUITE_P(DilatedDepthwiseTest);

TEST_P(DilatedDepthwiseTest, AnyNumberOfChannelsIsConvolved) {
  for (const int channels : {1, 2, 3, 7, 12, 31, 32, 48, 64, 76, 304, 513}) {
    for (const bool plain : {true, false}) {
      CheckCase<float>({5, 7, channels}, 2, !plain, !plain);
      CheckCase<uint16_t>({5, 7, channels}, 2, !plain, !plain);
    }
  }
}

TEST_P(DilatedDepthwiseTest, AnyDilationOfAnyMapIsConvolved) {
  for (const int height : {1, 2, 5, 14}) {
    for (const int width : {1, 3, 8, 21}) {
      for (const int dilation : {1, 2, 4, 8, 12, 24, 36, 1000}) {
        CheckCase<float>({height, width, 35}, dilation, true, false);
        CheckCase<uint16_t>({height, width, 35}, dilation, false, true);
      }
    }
  }
}

// Large enough for several blocks of channels.
TEST_P(DilatedDepthwiseTest, MapsLargerThanTheCacheAreConvolved) {
  CheckCase<float>({24, 64, 200}, 12, true, true);
  CheckCase<uint16_t>({40, 64, 200}, 12, true, true);
}

template <class T>
void CheckRowRange() {
  const MapSize size{9, 11, 70};
  TestMap<T> input(size);
  input.FillAtRandom(4);
  TestMap<T> whole(size);
  const std::vector<float> weights = RandomFloats(9 * size.channels, 5);
  const DepthwiseFilter filter{weights.data()};
  DilatedDepthwise(size, std::as_const(input).view(), filter, 3, 0, size.height, whole.view());
  TestMap<T> part(size, /*pixel_padding=*/4, /*row_padding=*/6);
  part.Fill(-7);
  DilatedDepthwise(size, std::as_const(input).view(), filter, 3, 2, 2, part.view());
  DilatedDepthwise(size, std::as_const(input).view(), filter, 3, 2, 6, part.view());
  TestMap<T> expected(size, 4, 6);
  expected.Fill(-7);
  for (int y = 2; y < 6; ++y) {
    for (int x = 0; x < size.width; ++x) {
      for (int c = 0; c < size.channels; ++c) expected.At(y, x, c) = whole.At(y, x, c);
    }
  }
  EXPECT_EQ(part.values(), expected.values());
}

TEST_P(DilatedDepthwiseTest, OnlyTheRowsAskedForAreWrittenAndTheyAreTheSame) {
  CheckRowRange<float>();
  CheckRowRange<uint16_t>();
}

// 1 + 2^-7 is bfloat16's successor of 1: halfway cases go to the even one of the two neighbours.
TEST_P(DilatedDepthwiseTest, Bfloat16ResultsAreRoundedToNearestEven) {
  const float step = 1.0F / 128;
  const std::vector<float> values = {1 + step / 2,         1 + step / 2 + step / 1024, 1 + 3 * step / 2, 1 + step / 4,
                                     -(1 + 3 * step / 2),  1 + 5 * step / 2,           3.4e38F,          0x1p-133F,
                                     0x1p-134F + 0x1p-149F};
  const std::vector<double> rounded = {
      1,        1 + step, 1 + 2 * step, 1, -(1 + 2 * step), 1 + 2 * step, std::numeric_limits<double>::infinity(),
      0x1p-133, 0x1p-133};
  const int channels = 9 * static_cast<int>(values.size()) + 1;
  const MapSize size{1, 1, channels};
  TestMap<uint16_t> input(size);
  TestMap<uint16_t> output(size);
  const std::vector<float> weights(9 * channels, 0);
  std::vector<float> bias(channels);
  for (int c = 0; c < channels; ++c) bias[c] = values[c % values.size()];
  DilatedDepthwise(size, std::as_const(input).view(), {weights.data(), bias.data()}, 1, 0, 1, output.view());
  for (int c = 0; c < channels; ++c) {
    EXPECT_EQ(ToDouble(output.At(0, 0, c)), rounded[c % rounded.size()]) << bias[c];
  }
}

template <class T>
void CheckNan() {
  const MapSize size{1, 1, 67};
  TestMap<T> input(size);
  input.Fill(std::numeric_limits<float>::quiet_NaN());
  TestMap<T> output(size);
  const std::vector<float> weights(9 * size.channels, 1);
  DilatedDepthwise(size, std::as_const(input).view(), {weights.data(), nullptr, true}, 1, 0, 1, output.view());
  for (int c = 0; c < size.channels; ++c) EXPECT_TRUE(std::isnan(ToDouble(output.At(0, 0, c)))) << c;
}

TEST_P(DilatedDepthwiseTest, NanPassesTheRelu) {
  CheckNan<float>();
  CheckNan<uint16_t>();
}

}  // namespace
}  // namespace candor
