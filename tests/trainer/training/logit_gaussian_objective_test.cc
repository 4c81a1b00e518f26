// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/logit_gaussian_objective.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/fixed_samples.h"

namespace candor {
namespace {

// With the whole covariance matrix of each place, inverted, in double.
double DenseLikelihood(const torch::Tensor& mean, const LogitSpread& spread, const torch::Tensor& samples) {
  const int64_t classes = mean.size(1);
  const torch::Tensor variance = spread.variance.to(torch::kFloat64).permute({0, 2, 3, 1});
  torch::Tensor covariance = torch::diag_embed(variance);
  if (spread.factors.defined()) {
    const torch::Tensor factors = spread.factors.to(torch::kFloat64).permute({0, 3, 4, 2, 1});
    covariance = covariance + factors.matmul(factors.transpose(-1, -2));
  }
  const torch::Tensor x = (samples - mean).to(torch::kFloat64).permute({0, 1, 3, 4, 2}).unsqueeze(-1);
  const torch::Tensor square = x.transpose(-1, -2).matmul(at::linalg_inv(covariance)).matmul(x);
  const double sum = at::linalg_det(covariance).log().mean().item<double>() + square.mean().item<double>();
  return 0.5 * (std::log(2 * M_PI) + sum / static_cast<double>(classes));
}

TEST(GaussianLikelihoodTest, OfOneNumberIsTheTextbooks) {
  // Variance 4, one deviation away: ln(2 sqrt(2 pi)) + 1/2.
  const LogitSpread spread = {torch::full({1, 1, 1, 1}, 4.0f), {}};
  const double value =
      GaussianLikelihood(torch::zeros({1, 1, 1, 1}), spread, torch::full({1, 1, 1, 1, 1}, 2.0f)).item<double>();
  EXPECT_NEAR(value, std::log(2 * std::sqrt(2 * M_PI)) + 0.5, 1e-6);
}

TEST(GaussianLikelihoodTest, AgreesWithTheWholeMatrixAtEveryRank) {
  torch::manual_seed(7);
  const torch::Tensor mean = torch::randn({2, 5, 3, 4});
  const torch::Tensor samples = 2 * torch::randn({6, 2, 5, 3, 4});
  for (const int64_t rank : {0, 1, 3, 7}) {
    const LogitSpread spread = SpreadFrom(torch::randn({2, 5 * (1 + rank), 3, 4}), 5);
    EXPECT_NEAR(GaussianLikelihood(mean, spread, samples).item<double>(), DenseLikelihood(mean, spread, samples), 1e-4)
        << rank;
  }
}

// Where variance and mean are the samples' own (over M) the gradient vanishes.
TEST(GaussianLikelihoodTest, IsLeastAtTheSamplesMeanAndVariance) {
  const torch::Tensor samples = 3 * torch::randn({5, 1, 4, 2, 2});
  const torch::Tensor mean = samples.mean(0).requires_grad_();
  const torch::Tensor head = (samples.var(0, /*unbiased=*/false) - kVarianceFloor).log().requires_grad_();
  GaussianLikelihood(mean, SpreadFrom(head, 4), samples).backward();
  EXPECT_LT(mean.grad().abs().max().item<double>(), 1e-5);
  EXPECT_LT(head.grad().abs().max().item<double>(), 1e-5);
}

class LogitGaussianObjectiveTest : public testing::TestWithParam<int> {};

TEST_P(LogitGaussianObjectiveTest, AMembersShiftOfAllScoresChangesNothing) {
  ModelSpec spec = SmallSpec(ModelKind::kStudent);
  spec.learned = {};
  spec.sampling.method = SamplingMethod::kLogitSamples;
  spec.sampling.passes = 10;
  spec.sampling.rank = GetParam();
  torch::manual_seed(1);
  SegmentationNet net = MakeNetwork(spec);
  net->eval();
  const TensorBatch batch = SmallBatch();
  StudentOptions options;
  options.rank = GetParam();
  options.distillation_weight = 0.5;
  options.label_weight = 2;
  const torch::Tensor samples = ThreeMembers();
  const torch::Tensor centred = samples - samples.mean(2, true);
  const Scores scores = net->Forward(batch.images);
  const double expected = DenseLikelihood(scores.logits, SpreadFrom(scores.uncertainty, 2), centred);
  for (const double shift : {0.0, 7.0}) {
    const auto losses = MakeLogitGaussianObjective(net, TrainingPrecision::kFp32, torch::Tensor(),
                                                   std::make_unique<FixedSamples>(samples + shift), options)
                            ->Compute(batch);
    ASSERT_THAT(losses, IsOk());
    EXPECT_NEAR(losses->uncertainty.item<double>(), expected, 1e-4 * std::abs(expected));
    EXPECT_NEAR(losses->total.item<double>(), 0.5 * expected + 2 * losses->segmentation.item<double>(),
                2e-4 * std::abs(expected));
    losses->total.backward();
    EXPECT_TRUE(net->named_parameters()["uncertainty_head.0.weight"].grad().isfinite().all().item<bool>());
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, LogitGaussianObjectiveTest, testing::Values(0, 2));

}  // namespace
}  // namespace candor
