// SPDX-License-Identifier: Apache-2.0
//
// Gaussians of a handful of rows, against the definition with inverses and determinants.
#include "trainer/fitting/class_moments.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kTwoPi = 6.283185307179586;

// Class 0: the corners of a square of side 2 about (5, 1). Class 1: two points about (0, 0). Label 255: left out.
torch::Tensor Rows() {
  return torch::tensor(
      {{4.0f, 0.0f}, {6.0f, 0.0f}, {4.0f, 2.0f}, {6.0f, 2.0f}, {-3.0f, 0.0f}, {3.0f, 0.0f}, {90.0f, 90.0f}});
}
torch::Tensor Labels() { return torch::tensor({0, 0, 0, 0, 1, 1, 255}, torch::kInt64); }

ClassMoments Moments() {
  ClassMoments moments(3, 2, torch::kCPU);
  moments.Add(Rows().slice(0, 0, 3), Labels().slice(0, 0, 3));
  moments.Add(Rows().slice(0, 3, 7), Labels().slice(0, 3, 7));
  return moments;
}

double ScoreAt(const ClassGaussians& gaussians, double x, double y) {
  FeatureDensityHead head(2, 3, gaussians.whiten.size(1));
  head.SetGaussians(gaussians);
  return head.Forward(torch::tensor({x, y}, torch::kFloat32).reshape({1, 2, 1, 1}), {}).item<double>();
}

TEST(ClassMomentsTest, CountsWhatHasAClass) { EXPECT_THAT(Moments().counts(), ElementsAre(4, 2, 0)); }

TEST(ClassMomentsTest, GaussiansAreThoseOfTheDefinition) {
  const auto gaussians = Moments().Gaussians(0);
  ASSERT_THAT(gaussians, IsOk());
  // S_0 = diag(1, 1), S_1 = diag(9, 0), S = (4 S_0 + 2 S_1) / 6 = diag(22/6, 4/6); w_0 = 2/6, w_1 = 2/4.
  const double pooled[] = {22.0 / 6, 4.0 / 6};
  const double jitter = 1e-4 * (pooled[0] + pooled[1]) / 2;
  const double first[] = {4.0 / 6 + pooled[0] * 2 / 6 + jitter, 4.0 / 6 + pooled[1] * 2 / 6 + jitter};
  const double second[] = {9.0 / 2 + pooled[0] / 2 + jitter, pooled[1] / 2 + jitter};
  for (const auto& [x, y] : {std::pair{5.0, 1.0}, {0.0, 0.0}, {2.0, 3.0}, {-4.0, 0.5}}) {
    const double density0 = std::exp(-((x - 5) * (x - 5) / first[0] + (y - 1) * (y - 1) / first[1]) / 2) /
                            (kTwoPi * std::sqrt(first[0] * first[1]));
    const double density1 =
        std::exp(-(x * x / second[0] + y * y / second[1]) / 2) / (kTwoPi * std::sqrt(second[0] * second[1]));
    EXPECT_NEAR(ScoreAt(*gaussians, x, y), -std::log(4.0 / 6 * density0 + 2.0 / 6 * density1), 1e-4) << x << ", " << y;
  }
}

// All rows together vary most along the first axis: their variances are 10 and 1.
TEST(ClassMomentsTest, AComponentIsTheDirectionOfMostVariance) {
  ClassMoments moments(2, 2, torch::kCPU);
  moments.Add(torch::tensor({{-4.0f, 1.0f}, {-4.0f, -1.0f}, {-2.0f, 1.0f}, {-2.0f, -1.0f}}),
              torch::zeros({4}, torch::kInt64));
  moments.Add(torch::tensor({{4.0f, 1.0f}, {4.0f, -1.0f}, {2.0f, 1.0f}, {2.0f, -1.0f}}),
              torch::ones({4}, torch::kInt64));
  const auto gaussians = moments.Gaussians(1);
  ASSERT_THAT(gaussians, IsOk());
  // Both covariances are 1, pooled and own, in one dimension.
  const double variance = 1 + 1e-4;
  for (const double x : {-3.0, 0.0, 2.5}) {
    const auto density = [&](double mean) {
      return std::exp(-(x - mean) * (x - mean) / variance / 2) / std::sqrt(kTwoPi * variance);
    };
    FeatureDensityHead head(2, 2, 1);
    head.SetGaussians(*gaussians);
    const auto score = head.Forward(torch::tensor({x, 7.0}, torch::kFloat32).reshape({1, 2, 1, 1}), {}).item<double>();
    EXPECT_NEAR(score, -std::log((density(-3) + density(3)) / 2), 1e-5) << x;
  }
}

TEST(ClassMomentsTest, AClassWithoutRowsCountsForNothing) {
  const auto gaussians = Moments().Gaussians(0);
  ASSERT_THAT(gaussians, IsOk());
  EXPECT_LT(gaussians->weight[2].item<double>(), -1e29);
  EXPECT_TRUE(std::isfinite(ScoreAt(*gaussians, 0, 0)));
}

TEST(ClassMomentsTest, WhatHasNoDensityIsSaid) {
  EXPECT_THAT(ClassMoments(2, 2, torch::kCPU).Gaussians(0),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("must have labelled pixels")));
  ClassMoments moments(2, 2, torch::kCPU);
  moments.Add(torch::ones({5, 2}), torch::zeros({5}, torch::kInt64));
  EXPECT_THAT(moments.Gaussians(0), HasStatus(StatusCode::kFailedPrecondition, HasSubstr("must vary within a class")));
}

}  // namespace
}  // namespace candor
