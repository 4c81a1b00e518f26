// SPDX-License-Identifier: Apache-2.0
//
// A Dirichlet's kinds. At whole numbers digamma(1 + n) is the n-th harmonic number less a constant, so expected
// entropies are sums of fractions.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/uncertainty/fused_reduction.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/uncertainty/reference_reduction.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

constexpr UncertaintyKind kStddev = UncertaintyKind::kPredictiveStddev;
constexpr UncertaintyKind kEntropy = UncertaintyKind::kPredictiveEntropy;
constexpr UncertaintyKind kExpected = UncertaintyKind::kExpectedEntropy;
constexpr UncertaintyKind kMutual = UncertaintyKind::kMutualInformation;
constexpr UncertaintyKind kMaximum = UncertaintyKind::kMaxProbability;
constexpr UncertaintyKind kMarginKind = UncertaintyKind::kMargin;

Segmentation Reduce(const ScoreGrid& grid, const std::vector<UncertaintyKind>& kinds) {
  MemberScores scores;
  scores.Reset(1, grid.classes, grid.height, grid.width);
  const int64_t plane = static_cast<int64_t>(grid.height) * grid.width;
  EXPECT_TRUE(scores.Store(0, {grid.values.data(), plane, grid.width, 1}));
  std::vector<KindRequest> requests;
  for (const UncertaintyKind kind : kinds) requests.push_back({kind, true, 0.1f});
  FusedReduction reduction(scores, {}, {0, 0, 4 * grid.width, 4 * grid.height}, {requests, true},
                           ClassScores::kDirichlet);
  reduction.Rows(0, 4 * grid.height);
  auto result = reduction.Finish();
  EXPECT_THAT(result, IsOk());
  return *std::move(result);
}

// Every place has the parameters exp(scores).
ScoreGrid Constant(const std::vector<double>& scores) {
  ScoreGrid grid{1, static_cast<int>(scores.size()), 4, 4, {}};
  for (const double score : scores) grid.values.insert(grid.values.end(), 16, static_cast<float>(score));
  return grid;
}

double Harmonic(int n) {
  double sum = 0;
  for (int i = 1; i <= n; ++i) sum += 1.0 / i;
  return sum;
}

double EntropyOf(const std::vector<double>& p) {
  double sum = 0;
  for (const double q : p) sum -= q * std::log(q);
  return sum;
}

TEST(DirichletReductionTest, WholeParametersGiveSumsOfFractions) {
  for (const std::vector<int>& parameters :
       std::vector<std::vector<int>>{{1, 1}, {5, 1, 2}, {1, 1, 1, 1}, {30, 2, 7}, {3, 900, 4}}) {
    int total = 0;
    std::vector<double> scores;
    for (const int a : parameters) {
      total += a;
      scores.push_back(std::log(a));
    }
    std::vector<double> p;
    double expected = 0;
    for (const int a : parameters) {
      p.push_back(static_cast<double>(a) / total);
      expected += p.back() * (Harmonic(total) - Harmonic(a));
    }
    const double largest = *std::max_element(p.begin(), p.end());
    const Segmentation result = Reduce(Constant(scores), {kStddev, kEntropy, kExpected, kMutual, kMaximum});
    EXPECT_NEAR(result.kinds[0].map[5], std::sqrt(largest * (1 - largest) / (total + 1)), 1e-6);
    EXPECT_NEAR(result.kinds[1].map[5], EntropyOf(p), 2e-6);
    EXPECT_NEAR(result.kinds[2].map[5], expected, 4e-6);
    EXPECT_NEAR(result.kinds[3].map[5], EntropyOf(p) - expected, 4e-6);
    EXPECT_NEAR(result.kinds[4].map[5], 1 - largest, 1e-6);
    for (size_t c = 0; c < p.size(); ++c) EXPECT_NEAR(result.probabilities[c * 256 + 5], p[c], 1e-6);
  }
}

// digamma(1 + x) as the slope of lgamma, at parameters that are no whole numbers and between places of the map.
TEST(DirichletReductionTest, EveryPixelAgreesWithTheSlopeOfLgamma) {
  const auto digamma = [](double x) { return (std::lgamma(x + 1e-5) - std::lgamma(x - 1e-5)) / 2e-5; };
  const ScoreGrid grid = RandomScores(1, 7, 5, 6, 2.5, 11);
  const Segmentation result = Reduce(grid, {kMutual, kStddev, kMarginKind, kExpected, kEntropy});
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 24; ++x) {
      std::vector<double> p;
      double total = 0;
      for (int c = 0; c < 7; ++c) {
        p.push_back(std::exp(ReferenceSample(grid, 0, c, y, x)));
        total += p.back();
      }
      double expected = 0;
      for (double& a : p) {
        expected += a / total * (digamma(1 + total) - digamma(1 + a));
        a /= total;
      }
      const double largest = *std::max_element(p.begin(), p.end());
      const int index = y * 24 + x;
      ASSERT_NEAR(result.kinds[0].map[index], EntropyOf(p) - expected, 1e-5) << y << ", " << x;
      ASSERT_NEAR(result.kinds[1].map[index], std::sqrt(largest * (1 - largest) / (total + 1)), 1e-5);
      ASSERT_NEAR(result.kinds[3].map[index], expected, 1e-5);
      ASSERT_NEAR(result.kinds[4].map[index], EntropyOf(p), 1e-5);
    }
  }
}

// Of a Dirichlet without doubt about its mean everything is expected entropy, of one without evidence nothing.
TEST(DirichletReductionTest, LargeAndSmallScoresStayFinite) {
  const double entropy = EntropyOf({0.75, 0.25});
  for (const double large : {45.0, 90.0, 500.0, 1e5}) {
    const Segmentation sure = Reduce(Constant({large + std::log(3), large}), {kStddev, kExpected, kMutual});
    const double tolerance = large > 1e4 ? 1e-2 : 1e-4;  // a float near 1e5 has steps of 1/128
    EXPECT_LT(sure.kinds[0].map[3], 1e-8) << large;
    EXPECT_NEAR(sure.kinds[1].map[3], entropy, tolerance) << large;
    EXPECT_NEAR(sure.kinds[2].map[3], 0, tolerance) << large;
  }
  const Segmentation ignorant = Reduce(Constant({-90 + std::log(3), -90}), {kStddev, kExpected, kMutual});
  EXPECT_NEAR(ignorant.kinds[0].map[3], std::sqrt(0.75 * 0.25), 1e-5);
  EXPECT_NEAR(ignorant.kinds[1].map[3], 0, 1e-5);
  EXPECT_NEAR(ignorant.kinds[2].map[3], entropy, 1e-4);
}

}  // namespace
}  // namespace candor
