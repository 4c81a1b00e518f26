// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/depthwise_gradient.h"

#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/tests/hwy_gtest.h"
#include "tests/core/kernels/test_map.h"

namespace candor {
namespace {

// In double, straight from the definition.
template <class T>
double Reference(const TestMap<T>& input, const TestMap<T>& gradient, int dilation, int k, int c) {
  double sum = 0;
  for (int y = 0; y < gradient.size().height; ++y) {
    for (int x = 0; x < gradient.size().width; ++x) {
      sum += ToDouble(gradient.At(y, x, c)) * input.Padded(y + (k / 3 - 1) * dilation, x + (k % 3 - 1) * dilation, c);
    }
  }
  return sum;
}

template <class T>
void CheckCase(const MapSize& size, int dilation) {
  TestMap<T> input(size, /*pixel_padding=*/3, /*row_padding=*/5);
  input.FillAtRandom(1);
  TestMap<T> gradient(size, /*pixel_padding=*/1, /*row_padding=*/2);
  gradient.FillAtRandom(2);
  std::vector<float> total(9 * size.channels, 0.5F);
  AddDepthwiseWeightGradient(size, std::as_const(input).view(), std::as_const(gradient).view(), dilation, 0,
                             size.channels, total.data());
  // Products are at most 4; each of a row's and a column's sums adds one rounding.
  const double tolerance = 4.0 * size.width * size.height * (size.width + size.height) * 6e-8 + 1e-7;
  for (int k = 0; k < 9; ++k) {
    for (int c = 0; c < size.channels; ++c) {
      ASSERT_NEAR(total[k * size.channels + c], 0.5 + Reference(input, gradient, dilation, k, c), tolerance)
          << size.height << "x" << size.width << "x" << size.channels << " dilation " << dilation << " tap " << k
          << " channel " << c;
    }
  }
}

class DepthwiseGradientTest : public hwy::TestWithParamTarget {};
HWY_TARGET_INSTANTIATE_TEST_SUITE_P(DepthwiseGradientTest);

TEST_P(DepthwiseGradientTest, AnyNumberOfChannelsIsReduced) {
  for (const int channels : {1, 3, 12, 48, 76, 304, 513}) {
    CheckCase<float>({5, 7, channels}, 2);
    CheckCase<uint16_t>({5, 7, channels}, 2);
  }
}

TEST_P(DepthwiseGradientTest, AnyDilationOfAnyMapIsReduced) {
  for (const int height : {1, 5, 14}) {
    for (const int width : {1, 8, 21}) {
      for (const int dilation : {1, 2, 4, 8, 12, 36}) {
        CheckCase<float>({height, width, 35}, dilation);
        CheckCase<uint16_t>({height, width, 35}, dilation);
      }
    }
  }
}

template <class T>
void CheckChannelRanges() {
  const MapSize size{6, 9, 150};
  TestMap<T> input(size);
  input.FillAtRandom(3);
  TestMap<T> gradient(size);
  gradient.FillAtRandom(4);
  const auto add = [&](int begin, int end, std::vector<float>* total) {
    AddDepthwiseWeightGradient(size, std::as_const(input).view(), std::as_const(gradient).view(), 3, begin, end,
                               total->data());
  };
  std::vector<float> whole(9 * size.channels);
  add(0, 150, &whole);
  std::vector<float> parts(9 * size.channels);
  add(128, 150, &parts);
  add(0, 64, &parts);
  add(64, 64, &parts);
  for (int k = 0; k < 9; ++k) {
    for (int c = 64; c < 128; ++c) EXPECT_EQ(parts[k * size.channels + c], 0);
  }
  add(64, 128, &parts);
  EXPECT_EQ(parts, whole);
}

TEST_P(DepthwiseGradientTest, RangesOfChannelsAddUpToTheSameBits) {
  CheckChannelRanges<float>();
  CheckChannelRanges<uint16_t>();
}

}  // namespace
}  // namespace candor
