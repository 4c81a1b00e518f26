// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/decoder_strip.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/tests/hwy_gtest.h"
#include "tests/core/kernels/test_map.h"

namespace candor {
namespace {

// In double, straight from the definitions.
template <class T>
double Upsampled(const TestMap<T>& context, int y, int x, int c) {
  const MapSize& size = context.size();
  const auto place = [](int low, int position) { return (low - 1.0) / (4 * low - 1.0) * position; };
  const double sy = place(size.height, y);
  const double sx = place(size.width, x);
  const int y0 = static_cast<int>(sy);
  const int x0 = static_cast<int>(sx);
  const int y1 = std::min(y0 + 1, size.height - 1);
  const int x1 = std::min(x0 + 1, size.width - 1);
  const double fy = sy - y0;
  const double fx = sx - x0;
  const auto at = [&](int row, int column) { return ToDouble(context.At(row, column, c)); };
  return (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) + fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1));
}

template <class T>
double Concatenated(const TestMap<T>& context, const TestMap<T>& low_level, int y, int x, int c) {
  const MapSize& size = low_level.size();
  if (y < 0 || y >= size.height || x < 0 || x >= size.width) return 0;
  const int context_channels = context.size().channels;
  return c < context_channels ? Upsampled(context, y, x, c) : ToDouble(low_level.At(y, x, c - context_channels));
}

template <class T>
double Reference(const TestMap<T>& context, const TestMap<T>& low_level, const DepthwiseFilter& filter, int y, int x,
                 int c) {
  const int channels = context.size().channels + low_level.size().channels;
  double sum = filter.bias == nullptr ? 0 : filter.bias[c];
  for (int ky = 0; ky < 3; ++ky) {
    for (int kx = 0; kx < 3; ++kx) {
      sum += Concatenated(context, low_level, y + ky - 1, x + kx - 1, c) * filter.weights[(3 * ky + kx) * channels + c];
    }
  }
  return filter.has_relu ? std::max(0.0, sum) : sum;
}

// fp32: ten products of at most 2 x 1, the fraction of a position below 100 with an error of 1e-5 times the difference
// of neighbours, at most 4. bfloat16: half a unit in the last of its 8 digits more.
double Tolerance(const float* /*storage*/, double /*value*/) { return 1e-4; }
double Tolerance(const uint16_t* /*storage*/, double value) { return 1e-4 + std::abs(value) / 256; }

template <class T>
struct Case {
  Case(const MapSize& context_size, int low_level_channels)
      : context(context_size, 3, 2),
        low_level({4 * context_size.height, 4 * context_size.width, low_level_channels}, 1, 5),
        output({low_level.size().height, low_level.size().width, context_size.channels + low_level_channels}, 2, 3),
        weights(RandomFloats(9 * output.size().channels, 2)),
        bias(RandomFloats(output.size().channels, 3)),
        scratch(DecoderStripScratch(context_size.width), -1e30F) {
    context.FillAtRandom(4);
    low_level.FillAtRandom(5);
    output.Fill(-7);
  }

  void Run(const DepthwiseFilter& filter, int begin, int end) {
    DecoderStripMaps<T> maps;
    maps.context_size = context.size();
    maps.low_level_channels = low_level.size().channels;
    maps.context = std::as_const(context).view();
    maps.low_level = std::as_const(low_level).view();
    maps.output = output.view();
    DecoderStrip(maps, filter, begin, end, scratch.data());
  }

  void ExpectResult(const DepthwiseFilter& filter) const {
    const MapSize& size = output.size();
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        for (int c = 0; c < size.channels; ++c) {
          const double expected = Reference(context, low_level, filter, y, x, c);
          ASSERT_NEAR(ToDouble(output.At(y, x, c)), expected, Tolerance(output.values().data(), expected))
              << size.height << "x" << size.width << "x" << size.channels << " at " << y << ", " << x << ", " << c;
        }
      }
    }
  }

  TestMap<T> context, low_level, output;
  std::vector<float> weights, bias, scratch;
};

template <class T>
void CheckCase(const MapSize& context_size, int low_level_channels, bool plain) {
  Case<T> strip(context_size, low_level_channels);
  const DepthwiseFilter filter{strip.weights.data(), plain ? nullptr : strip.bias.data(), !plain};
  strip.Run(filter, 0, strip.output.size().height);
  strip.ExpectResult(filter);
}

class DecoderStripTest : public hwy::TestWithParamTarget {};
HWY_TARGET_INSTANTIATE_TEST_SUITE_P(DecoderStripTest);

// Widths of the network, 4w and 3w / 4 channels, and odd ones.
TEST_P(DecoderStripTest, AnyNumberOfChannelsIsConvolved) {
  for (const auto& [context, low_level] :
       std::vector<std::pair<int, int>>{{256, 48}, {64, 12}, {35, 9}, {1, 1}, {131, 3}}) {
    CheckCase<float>({2, 3, context}, low_level, context == 64);
    CheckCase<uint16_t>({2, 3, context}, low_level, context == 64);
  }
}

TEST_P(DecoderStripTest, AnySizeIsConvolved) {
  for (const int height : {1, 2, 5}) {
    for (const int width : {1, 2, 7, 24}) {
      CheckCase<float>({height, width, 20}, 5, true);
      CheckCase<uint16_t>({height, width, 20}, 5, false);
    }
  }
}

template <class T>
void CheckRowRange(int begin, int end) {
  Case<T> whole({3, 4, 140}, 10);
  const DepthwiseFilter filter{whole.weights.data()};
  whole.Run(filter, 0, 12);
  Case<T> part({3, 4, 140}, 10);
  part.Run(filter, begin, end);
  TestMap<T> expected(whole.output.size(), 2, 3);
  expected.Fill(-7);
  for (int y = begin; y < end; ++y) {
    for (int x = 0; x < 16; ++x) {
      for (int c = 0; c < 150; ++c) expected.At(y, x, c) = whole.output.At(y, x, c);
    }
  }
  EXPECT_EQ(part.output.values(), expected.values());
}

TEST_P(DecoderStripTest, OnlyTheRowsAskedForAreWrittenAndTheyAreTheSame) {
  for (const auto& [begin, end] : std::vector<std::pair<int, int>>{{0, 1}, {4, 9}, {11, 12}, {5, 5}}) {
    CheckRowRange<float>(begin, end);
    CheckRowRange<uint16_t>(begin, end);
  }
}

}  // namespace
}  // namespace candor
