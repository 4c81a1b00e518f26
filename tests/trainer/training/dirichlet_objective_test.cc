// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/dirichlet_objective.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/fixed_samples.h"

namespace candor {
namespace {

TEST(AnnealedTemperatureTest, IsHeldForAThirdAndOneAfterTwo) {
  EXPECT_EQ(AnnealedTemperature(10, 0, 300), 10);
  EXPECT_EQ(AnnealedTemperature(10, 100, 300), 10);
  EXPECT_NEAR(AnnealedTemperature(10, 150, 300), 5.5, 1e-9);
  EXPECT_NEAR(AnnealedTemperature(10, 200, 300), 1, 1e-9);
  EXPECT_EQ(AnnealedTemperature(10, 299, 300), 1);
  EXPECT_EQ(AnnealedTemperature(10, 0, 1), 10);
}

// The density of Beta(3, 2) at 0.25 is 12 x^2 (1 - x) = 0.5625, at 0.5 it is 1.5.
TEST(DirichletLikelihoodTest, OfTwoClassesIsThatOfABeta) {
  const torch::Tensor parameters = torch::tensor({3.0f, 2.0f}).log().view({1, 2, 1, 1});
  const torch::Tensor softmaxes = torch::tensor({0.25f, 0.75f, 0.5f, 0.5f}).view({2, 1, 2, 1, 1});
  EXPECT_NEAR(DirichletLikelihood(parameters, softmaxes).item<double>(), -(std::log(0.5625) + std::log(1.5)) / 2, 1e-6);
}

// Every point of the simplex of three classes has density 2 under a = (1, 1, 1).
TEST(DirichletLikelihoodTest, TheUniformDirichletHasOneDensity) {
  const torch::Tensor softmaxes = torch::softmax(torch::randn({4, 2, 3, 5, 5}), 2);
  EXPECT_NEAR(DirichletLikelihood(torch::zeros({2, 3, 5, 5}), softmaxes).item<double>(), -std::log(2.0), 1e-5);
}

// Its gradient in ln a is a (digamma(a) - digamma(sum a) - mean ln p): 0 where a is as likely as can be. At a = (1, 1)
// digamma(1) - digamma(2) = -1, so members whose mean ln p is -1 in both classes leave it there.
TEST(DirichletLikelihoodTest, IsLeastWhereTheMeanLogarithmsAgree) {
  // p (1 - p) = e^-2 for p and its mirror: each class's mean logarithm is ln(p (1 - p)) / 2 = -1.
  const double p = 0.5 + std::sqrt(0.25 - std::exp(-2.0));
  const torch::Tensor softmaxes = torch::tensor({p, 1 - p, 1 - p, p}).to(torch::kFloat32).view({2, 1, 2, 1, 1});
  const torch::Tensor parameters = torch::zeros({1, 2, 1, 1}, torch::requires_grad());
  DirichletLikelihood(parameters, softmaxes).backward();
  EXPECT_LT(parameters.grad().abs().max().item<double>(), 1e-6);
}

TEST(DirichletLikelihoodTest, LargeScoresAreFinite) {
  const torch::Tensor parameters = torch::full({1, 2, 1, 1}, 60.0f).requires_grad_();
  const torch::Tensor loss = DirichletLikelihood(parameters, torch::full({1, 1, 2, 1, 1}, 0.5f));
  loss.backward();
  EXPECT_TRUE(std::isfinite(loss.item<float>()));
  EXPECT_TRUE(parameters.grad().isfinite().all().item<bool>());
}

TEST(DirichletObjectiveTest, SoftensBothSidesAndScalesByTheSquare) {
  SegmentationNet net = SmallNet(ModelKind::kSingle);
  net->eval();
  TensorBatch batch = SmallBatch();
  batch.step = 15;
  batch.steps = 30;  // half way down from 4: 2.5
  StudentOptions options;
  options.temperature = 4;
  options.distillation_weight = 0.5;
  options.label_weight = 0;
  const torch::Tensor samples = ThreeMembers();
  const auto losses = MakeDirichletObjective(net, TrainingPrecision::kFp32, torch::Tensor(),
                                             std::make_unique<FixedSamples>(samples), options)
                          ->Compute(batch);
  ASSERT_THAT(losses, IsOk());
  const torch::Tensor a = (net->Forward(batch.images).logits / 2.5).exp().to(torch::kFloat64);
  torch::Tensor p = (samples.to(torch::kFloat64) / 2.5).exp();
  p = p / p.sum(2, true) * 0.999 + 0.0005;
  const torch::Tensor first = a.select(1, 0);
  const torch::Tensor second = a.select(1, 1);
  const torch::Tensor log_density = (first + second).lgamma() - first.lgamma() - second.lgamma() +
                                    (first - 1) * p.select(2, 0).log() + (second - 1) * p.select(2, 1).log();
  const double expected = -6.25 * log_density.mean().item<double>();
  EXPECT_NEAR(losses->uncertainty.item<double>(), expected, 1e-4 * std::abs(expected));
  EXPECT_NEAR(losses->total.item<double>(), 0.5 * expected, 1e-4 * std::abs(expected));
}

}  // namespace
}  // namespace candor
