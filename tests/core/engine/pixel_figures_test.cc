// SPDX-License-Identifier: Apache-2.0
//
// The rules that the GPU's code repeats, against those of the CPU.
#include "core/engine/cuda/pixel_figures.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/float16.h"
#include "core/uncertainty/statistics.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Every exponent with mantissas at, below and above the ties.
TEST(PixelFiguresTest, HalvesRoundAsTheCpus) {
  for (uint32_t high = 0; high < 0x10000; ++high) {
    for (const uint32_t low : {0x0000U, 0x0001U, 0x0fffU, 0x1000U, 0x1001U, 0x2fffU, 0x3000U, 0x7fffU, 0xffffU}) {
      const uint32_t bits = high << 16 | low;
      float value;
      memcpy(&value, &bits, sizeof(value));
      if (std::isnan(value)) {
        ASSERT_TRUE(std::isnan(HalfToFloat(HalfBits(value))));
      } else {
        ASSERT_EQ(HalfBits(value), FloatToHalf(value)) << value;
      }
    }
  }
}

TEST(PixelFiguresTest, ValuesFallIntoTheBinsOfTheCpusAccumulator) {
  const float range_max = std::log(19.0f);
  const KindRequest request = {UncertaintyKind::kPredictiveEntropy, false, 1.0f};
  CudaKindJob kind;
  kind.bins_per_unit = KindAccumulator(request, range_max).bins_per_unit();
  std::vector<float> values = {0.0f, -0.5f, range_max, 2 * range_max, kInfinity};
  for (int i = 0; i <= 4 * kCudaHistogramBins; ++i) {
    values.push_back(range_max / (4 * kCudaHistogramBins) * static_cast<float>(i));
  }
  for (const float value : values) {
    KindAccumulator accumulator(request, range_max);
    accumulator.AddRow(&value, 1);
    const float bins_per_unit = accumulator.bins_per_unit();
    // The maximum that is kept beside the histogram must not cut the bin's upper edge.
    const float high = kInfinity;
    accumulator.AddRow(&high, 1);
    ASSERT_FLOAT_EQ(accumulator.Finish().median, static_cast<float>(HistogramBin(value, kind) + 1) / bins_per_unit)
        << value;
  }
  EXPECT_EQ(HistogramBin(kNan, kind), 0);
}

TEST(PixelFiguresTest, ATallyHasSumMaximumAndPixelsAboveTheThreshold) {
  CudaKindJob kind;
  kind.threshold = 0.5f;
  KindTally tally;
  for (const float value : {0.25f, 0.5f, 0.75f}) AddValue(value, kind, &tally);
  EXPECT_EQ(tally.sum, 1.5);
  EXPECT_EQ(tally.max, 0.75f);
  EXPECT_EQ(tally.above_threshold, 1);
}

TEST(PixelFiguresTest, ASumTellsOfANonFiniteValue) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    KindTally tally;
    for (const float value : {0.5f, bad, 0.25f}) AddValue(value, {}, &tally);
    EXPECT_FALSE(std::isfinite(tally.sum));
  }
}

}  // namespace
}  // namespace candor
