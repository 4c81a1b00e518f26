// SPDX-License-Identifier: Apache-2.0
//
// Energy and feature density of pixels by hand.
#include "core/nn/fitted_head.h"

#include <cmath>

#include "core/nn/segmentation_net.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"

namespace candor {
namespace {

constexpr double kTwoPi = 6.283185307179586;

// [1, C, 1, pixels] of one row a pixel.
torch::Tensor Pixels(const torch::Tensor& rows) { return rows.t().reshape({1, rows.size(1), 1, rows.size(0)}); }

TEST(EnergyHeadTest, IsMinusTheLogarithmOfTheSumOfExponentials) {
  EnergyHead head;
  const torch::Tensor logits = Pixels(torch::tensor({{1.0f, 2.0f, 5.0f}, {3.0f, 3.0f, 2.0f}}).log());
  const torch::Tensor scores = head.Forward({}, logits);
  ASSERT_EQ(scores.sizes().vec(), (std::vector<int64_t>{1, 1, 1, 2}));
  EXPECT_NEAR(scores.flatten()[0].item<double>(), -std::log(8.0), 1e-6);
  EXPECT_NEAR(scores.flatten()[1].item<double>(), -std::log(8.0), 1e-6);
}

TEST(EnergyHeadTest, TheScaleIsTakenOff) {
  EnergyHead head;
  head.SetScale(-2, 0.5);
  const torch::Tensor scores = head.Forward({}, Pixels(torch::tensor({{0.0f, 0.0f}})));
  EXPECT_NEAR(scores.item<double>(), (-std::log(2.0) + 2) / 0.5, 1e-6);
}

TEST(EnergyHeadTest, ATemperatureOfTheScoresChangesNothing) {
  torch::InferenceMode inference;
  ModelSpec spec;
  spec.kind = ModelKind::kSingle;
  spec.width = 8;
  spec.classes.resize(4);
  spec.head = UncertaintyHead::kEnergy;
  spec.learned = {UncertaintyKind::kEnergy};
  SegmentationNet net = MakeNetwork(spec);
  FillWithFormula(net, "energy");
  net->eval();
  const Scores plain = net->Forward(FormulaImage(32, 32));
  net->DivideLogits(2.5);
  const Scores divided = net->Forward(FormulaImage(32, 32));
  EXPECT_LT((divided.logits * 2.5 - plain.logits).abs().max().item<double>(), 1e-4);
  EXPECT_GT((divided.logits - plain.logits).abs().max().item<double>(), 0.1);
  EXPECT_LT((divided.uncertainty - plain.uncertainty).abs().max().item<double>(), 1e-3);
}

// Two classes in two dimensions: weights 1/4 and 3/4, means (1, 0) and (-1, 2), covariances diag(4, 1) and
// ((2, 1), (1, 2)).
ClassGaussians TwoGaussians() {
  ClassGaussians gaussians;
  const double s = std::sqrt(1.5);  // Cholesky factor of the second: ((sqrt 2, 0), (1 / sqrt 2, sqrt 1.5))
  const double r = std::sqrt(2.0);
  gaussians.whiten =
      torch::tensor({0.5, 0.0, 0.0, 1.0, 1 / r, 0.0, -0.5 / s, 1 / s}, torch::kFloat64).reshape({2, 2, 2});
  const torch::Tensor means = torch::tensor({{1.0, 0.0}, {-1.0, 2.0}}, torch::kFloat64);
  gaussians.offset = torch::matmul(gaussians.whiten, means.unsqueeze(2)).squeeze(2);
  gaussians.weight = torch::tensor(
      {std::log(0.25) - std::log(2.0) - std::log(kTwoPi), std::log(0.75) - std::log(r * s) - std::log(kTwoPi)},
      torch::kFloat64);
  return gaussians;
}

double Density(double x, double y) {
  const double first = std::exp(-((x - 1) * (x - 1) / 4 + y * y) / 2) / (kTwoPi * 2);
  // The inverse of ((2, 1), (1, 2)) is ((2, -1), (-1, 2)) / 3.
  const double a = x + 1, b = y - 2;
  const double second = std::exp(-(2 * a * a - 2 * a * b + 2 * b * b) / 3 / 2) / (kTwoPi * std::sqrt(3.0));
  return 0.25 * first + 0.75 * second;
}

TEST(FeatureDensityHeadTest, IsMinusTheLogarithmOfTheMixturesDensity) {
  FeatureDensityHead head(2, 2, 2);
  head.SetGaussians(TwoGaussians());
  const torch::Tensor rows = torch::tensor({{1.0f, 0.0f}, {-1.0f, 2.0f}, {0.5f, 1.5f}, {-4.0f, 3.0f}});
  const torch::Tensor scores = head.Forward(Pixels(rows), {}).flatten();
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const double want = -std::log(Density(rows[i][0].item<double>(), rows[i][1].item<double>()));
    EXPECT_NEAR(scores[i].item<double>(), want, 1e-5) << i;
  }
}

TEST(FeatureDensityHeadTest, FarFromAllClassesItIsFiniteAndLarge) {
  FeatureDensityHead head(2, 2, 2);
  head.SetGaussians(TwoGaussians());
  const double score = head.Forward(Pixels(torch::tensor({{1000.0f, 0.0f}})), {}).item<double>();
  EXPECT_TRUE(std::isfinite(score));
  EXPECT_GT(score, 1e5);
}

TEST(FeatureDensityHeadTest, GaussiansOfAnotherShapeAreRefused) {
  FeatureDensityHead head(3, 2, 2);
  EXPECT_THROW(head.SetGaussians(TwoGaussians()), c10::Error);
}

}  // namespace
}  // namespace candor
