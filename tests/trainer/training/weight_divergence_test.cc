// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/weight_divergence.h"

#include <cmath>

#include "gtest/gtest.h"

namespace candor {
namespace {

BayesOptions Prior(double stddev, double narrow, double mix) {
  BayesOptions options;
  options.prior_stddev = stddev;
  options.prior_narrow_stddev = narrow;
  options.prior_mix = mix;
  return options;
}

double Density(double x, double mean, double stddev) {
  const double z = (x - mean) / stddev;
  return std::exp(-z * z / 2) / (stddev * std::sqrt(2 * M_PI));
}

// The integral of q ln(q / P) over ten deviations to either side of q's mean, by the trapezoidal rule.
double Integrated(double mean, double deviation, const BayesOptions& prior) {
  constexpr int kSteps = 20000;
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double w = mean + deviation * (20.0 * i / kSteps - 10);
    const double q = Density(w, mean, deviation);
    const double p = prior.prior_mix * Density(w, 0, prior.prior_stddev) +
                     (1 - prior.prior_mix) * Density(w, 0, prior.prior_narrow_stddev);
    sum += q * std::log(q / p);
  }
  return sum * 20 * deviation / kSteps;
}

// KL between Gaussians, ln(s / d) + (d^2 + m^2) / (2 s^2) - 1/2: ln 2 + 1/8 - 1/2 and 0 + 5/8 - 1/2 for s = 2.
TEST(WeightDivergenceTest, OfOneGaussianIsInClosedForm) {
  const torch::Tensor mean = torch::tensor({0.0f, 1.0f});
  const torch::Tensor deviation = torch::tensor({1.0f, 2.0f});
  const double expected = std::log(2.0) - 0.25;
  EXPECT_NEAR(WeightDivergence(mean, deviation, Prior(2, 0.1, 1)).item<double>(), expected, 1e-6);
  EXPECT_NEAR(WeightDivergence(mean, deviation, Prior(9, 2, 0)).item<double>(), expected, 1e-6);
}

TEST(WeightDivergenceTest, OfTheMixtureItsExpectationIsTheIntegral) {
  torch::manual_seed(5);
  constexpr int kDraws = 200000;
  const double cases[][2] = {{0, 0.05}, {0.3, 0.1}, {-0.8, 0.4}};
  for (const auto& [mean, deviation] : cases) {
    for (const BayesOptions& prior : {Prior(1, 0.1, 0.5), Prior(1, 0.05, 0.2)}) {
      const double estimate =
          WeightDivergence(torch::full({kDraws}, mean), torch::full({kDraws}, deviation), prior).item<double>() /
          kDraws;
      EXPECT_NEAR(estimate, Integrated(mean, deviation, prior), 0.01) << mean << ", " << deviation;
    }
  }
}

// Of N(0, d^2) from N(0, 1): d - 1/d by the deviation, m by the mean.
TEST(WeightDivergenceTest, ItsGradientPullsTowardsThePrior) {
  torch::Tensor mean = torch::tensor({0.5f}, torch::requires_grad());
  torch::Tensor deviation = torch::tensor({0.25f}, torch::requires_grad());
  WeightDivergence(mean, deviation, Prior(1, 0.1, 1)).backward();
  EXPECT_NEAR(mean.grad().item<double>(), 0.5, 1e-6);
  EXPECT_NEAR(deviation.grad().item<double>(), 0.25 - 4, 1e-5);
}

}  // namespace
}  // namespace candor
