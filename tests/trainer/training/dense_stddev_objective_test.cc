// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/dense_stddev_objective.h"

#include <cmath>

#include "core/nn/deeplab.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/fixed_samples.h"

namespace candor {
namespace {

class DenseStddevObjectiveTest : public testing::Test {
 protected:
  DenseStddevObjectiveTest() {
    ModelSpec spec = SmallSpec(ModelKind::kStudent);
    spec.head = UncertaintyHead::kPerClass;
    torch::manual_seed(1);
    net_ = MakeNetwork(spec);
    net_->eval();
  }

  Losses Compute(const UncertaintyLossOptions& options) {
    auto losses = MakeDenseStddevObjective(net_, TrainingPrecision::kFp32, torch::Tensor(),
                                           std::make_unique<FixedSamples>(samples_), options)
                      ->Compute(batch_);
    EXPECT_THAT(losses, IsOk());
    return *std::move(losses);
  }

  // (ln(1 + q) - ln(1 + z))^2 [N, C, h, w]; z over `degrees`.
  torch::Tensor Squares(double degrees) {
    const torch::Tensor p = samples_.exp() / samples_.exp().sum(2, true);
    const torch::Tensor deviation = ((p - p.mean(0)).square().sum(0) / degrees).sqrt();
    return ((1 + net_->Forward(batch_.images).uncertainty.sigmoid()).log() - (1 + deviation).log()).square();
  }

  SegmentationNet net_{nullptr};
  TensorBatch batch_ = SmallBatch();
  torch::Tensor samples_ = ThreeMembers();
};

TEST_F(DenseStddevObjectiveTest, IsTheRootOverAllClassesMaps) {
  UncertaintyLossOptions options;
  options.weight = 3;
  const Losses losses = Compute(options);
  const double expected = Squares(2).mean().sqrt().item<double>();
  EXPECT_NEAR(losses.uncertainty.item<double>(), expected, 1e-5);
  // Three times as many classes' maps.
  const double weight = 3.0 * static_cast<double>(samples_.size(2));
  EXPECT_NEAR(losses.total.item<double>(), losses.segmentation.item<double>() + weight * expected, 1e-4);
}

TEST_F(DenseStddevObjectiveTest, PopulationDeviationAndOneRootAPicture) {
  UncertaintyLossOptions options;
  options.population_stddev = true;
  options.root = UncertaintyRoot::kImage;
  EXPECT_NEAR(Compute(options).uncertainty.item<double>(), Squares(3).mean({1, 2, 3}).sqrt().mean().item<double>(),
              1e-5);
}

// Of 32 columns the last 8 of the second picture are padding: place i of 8 stands for pixel round(31 i / 7), that is 0,
// 4, 9, 13, 18, 22, 27, 31, of which the last two lie there. Void rows 0 to 3 hold place 0.
TEST_F(DenseStddevObjectiveTest, PlacesStandForTheirNearestPixels) {
  torch::Tensor counted = torch::ones({2, 1, 8, 8});
  counted[1].slice(2, 6).fill_(0);
  const auto expected = [&] { return ((Squares(2) * counted).sum() / (2 * counted.sum())).sqrt().item<double>(); };
  UncertaintyLossOptions options;
  options.pixels = UncertaintyPixels::kPicture;
  EXPECT_NEAR(Compute(options).uncertainty.item<double>(), expected(), 1e-5);
  counted.slice(2, 0, 1).fill_(0);
  options.pixels = UncertaintyPixels::kLabelled;
  EXPECT_NEAR(Compute(options).uncertainty.item<double>(), expected(), 1e-5);
}

TEST_F(DenseStddevObjectiveTest, DetachedItReachesItsHeadOnly) {
  UncertaintyLossOptions options;
  options.detach_features = true;
  Compute(options).uncertainty.backward();
  EXPECT_GT(net_->named_parameters()["uncertainty_head.0.weight"].grad().abs().max().item<double>(), 0);
  EXPECT_FALSE(net_->named_parameters()["encoder.conv1.weight"].grad().defined());
}

}  // namespace
}  // namespace candor
