// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/bayes_objective.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/small_net.h"

namespace candor {
namespace {

constexpr int64_t kSide = 32;
constexpr int64_t kPixels = 2 * kSide * kSide;

class BayesObjectiveTest : public testing::Test {
 protected:
  BayesObjectiveTest() {
    ModelSpec spec = SmallSpec(ModelKind::kSingle);
    spec.sampling.method = SamplingMethod::kWeightSamples;
    spec.sampling.passes = 2;
    torch::manual_seed(1);
    net_ = MakeNetwork(spec);
    batch_.images = torch::rand({2, 3, kSide, kSide}).contiguous(torch::MemoryFormat::ChannelsLast);
    batch_.labels = torch::randint(2, {2, kSide, kSide}, torch::kInt64).to(torch::kUInt8);
    batch_.padding = torch::zeros({2, kSide, kSide}, torch::kUInt8);
    batch_.steps = 100;
    batch_.steps_per_epoch = 10;
    options_.prior_mix = 1;  // the divergence is a number
    options_.prior_stddev = 0.5;
    options_.kl_weight = 3;
    options_.kl_warmup = 0.5;
  }

  // What is added to the cross-entropy at `step`.
  double Added(int64_t step) {
    batch_.step = step;
    const auto losses = MakeBayesObjective(net_, TrainingPrecision::kFp32, {}, options_)->Compute(batch_);
    EXPECT_THAT(losses, IsOk());
    total_ = losses->total;
    EXPECT_FALSE(losses->uncertainty.defined());
    return losses->total.item<double>() - losses->segmentation.item<double>();
  }

  // KL(N(m, d^2) || N(0, 0.5^2)) over all Gaussian weights.
  double Divergence() {
    double sum = 0;
    const auto parameters = net_->named_parameters();
    for (const auto& item : parameters) {
      const torch::Tensor* rho = parameters.find(item.key() + "_rho");
      if (rho == nullptr) continue;
      const torch::Tensor m = item.value().detach().to(torch::kFloat64);
      const torch::Tensor d = rho->detach().to(torch::kFloat64).exp().log1p();
      sum += (torch::log(0.5 / d) + (m * m + d * d) / (2 * 0.25) - 0.5).sum().item<double>();
    }
    return sum;
  }

  SegmentationNet net_{nullptr};
  TensorBatch batch_;
  BayesOptions options_;
  torch::Tensor total_;
};

TEST_F(BayesObjectiveTest, AddsTheDivergenceSharedAmongTheEpochsPixels) {
  const double whole = 3 * Divergence() / (10 * kPixels);
  EXPECT_GT(whole, 0.1);
  EXPECT_NEAR(Added(50), whole, 1e-4 * whole + 1e-5);
  EXPECT_NEAR(Added(99), whole, 1e-4 * whole + 1e-5);
}

TEST_F(BayesObjectiveTest, WarmUpIsLinearFromNothing) {
  const double whole = 3 * Divergence() / (10 * kPixels);
  EXPECT_EQ(Added(0), 0);
  EXPECT_NEAR(Added(10), 0.2 * whole, 1e-4 * whole + 1e-5);
  options_.kl_warmup = 0;
  EXPECT_NEAR(Added(0), whole, 1e-4 * whole + 1e-5);
}

TEST_F(BayesObjectiveTest, OnlyLabelledPixelsCount) {
  batch_.labels[1].fill_(255);
  const double twice = 3 * Divergence() / (10 * kPixels / 2);
  EXPECT_NEAR(Added(50), twice, 1e-4 * twice + 1e-5);
  batch_.labels.fill_(255);
  EXPECT_EQ(Added(50), 0);
}

TEST_F(BayesObjectiveTest, EveryParameterHasAGradientFromTheFirstStepOn) {
  for (const double mix : {1.0, 0.5}) {
    options_.prior_mix = mix;
    for (const int64_t step : {0, 60}) {
      net_->zero_grad();
      Added(step);
      total_.backward();
      for (const auto& item : net_->named_parameters()) {
        ASSERT_TRUE(item.value().grad().defined()) << item.key();
        EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
      }
    }
  }
  EXPECT_GT(net_->named_parameters()["encoder.conv1.weight_rho"].grad().abs().max().item<double>(), 0);
}

TEST_F(BayesObjectiveTest, WeightsAreDrawnAnewAtEachStep) {
  options_.kl_weight = 0;
  net_->named_modules()["decoder"]->eval();  // no dropout; its weights' means
  Added(50);
  const double first = total_.item<double>();
  Added(50);
  EXPECT_NE(total_.item<double>(), first);
}

}  // namespace
}  // namespace candor
