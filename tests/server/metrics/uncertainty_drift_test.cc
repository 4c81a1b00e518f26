// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/uncertainty_drift.h"

#include <cmath>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

using Shares = std::array<double, kUncertaintyHistogramBins>;

std::vector<float> Reference(float first, float second) {
  std::vector<float> shares(kUncertaintyHistogramBins, 0);
  shares[0] = first;
  shares[1] = second;
  return shares;
}

PixelHistogram Pixels(int64_t first, int64_t second) {
  PixelHistogram histogram{};
  histogram[0] = first;
  histogram[1] = second;
  return histogram;
}

std::optional<double> AddTimes(int times, const PixelHistogram& pixels, UncertaintyDrift* drift) {
  std::optional<double> index;
  for (int i = 0; i < times; ++i) index = drift->Add(pixels);
  return index;
}

TEST(PopulationStabilityIndexTest, IsThatOfAHandComputedCase) {
  const Shares q = {0.5, 0.5};
  const Shares p = {0.8, 0.2};
  // 0.3 / 1.0064 (ln(0.8001 / 0.5001) - ln(0.2001 / 0.5001)) = 0.298092 ln(3.998501); without the 0.0001: 0.3 ln 4.
  EXPECT_NEAR(PopulationStabilityIndex(p, q), 0.413131, 1e-5);
  EXPECT_NEAR(PopulationStabilityIndex(q, p), 0.413131, 1e-5);
  EXPECT_EQ(PopulationStabilityIndex(p, p), 0);
}

TEST(PopulationStabilityIndexTest, ABinThatOnlyOneHasCountsFinitely) {
  const Shares q = {1};
  const Shares p = {0, 1};
  // 2 / 1.0064 ln(1.0001 / 0.0001)
  EXPECT_NEAR(PopulationStabilityIndex(p, q), 2 / 1.0064 * std::log(10001), 1e-9);
}

TEST(UncertaintyDriftTest, SaysNothingBeforeThereAreEnoughPictures) {
  UncertaintyDrift drift(Reference(0.5F, 0.5F));
  EXPECT_EQ(AddTimes(UncertaintyDrift::kLeastPictures - 1, Pixels(80, 20), &drift), std::nullopt);
  EXPECT_EQ(drift.Add({}), std::nullopt);  // no picture
  const std::optional<double> index = drift.Add(Pixels(80, 20));
  ASSERT_TRUE(index.has_value());
  EXPECT_NEAR(*index, 0.413131, 1e-5);
}

TEST(UncertaintyDriftTest, PicturesWeighTheSameWhateverTheirSize) {
  UncertaintyDrift drift(Reference(0.5F, 0.5F));
  AddTimes(200, Pixels(1'000'000, 0), &drift);
  UncertaintyDrift other(Reference(0.5F, 0.5F));
  AddTimes(200, Pixels(10, 0), &other);
  EXPECT_NEAR(*drift.Add(Pixels(0, 10)), *other.Add(Pixels(0, 1'000'000)), 1e-12);
}

TEST(UncertaintyDriftTest, ForgetsAtTheStatedPace) {
  UncertaintyDrift drift(Reference(0.5F, 0.5F));
  EXPECT_NEAR(*AddTimes(20 * UncertaintyDrift::kWindowPictures, Pixels(1, 1), &drift), 0, 1e-9);
  // What was before has the weight (1 - 1/500)^500 = 0.367511 of all: shares 0.816244 and 0.183756 of new pictures that
  // are all in the first bin.
  const double old = std::pow(1 - 1.0 / 500, 500);
  const Shares p = {1 - old / 2, old / 2};
  EXPECT_NEAR(*AddTimes(UncertaintyDrift::kWindowPictures, Pixels(1, 0), &drift),
              PopulationStabilityIndex(p, {0.5, 0.5}), 1e-6);
}

}  // namespace
}  // namespace candor
