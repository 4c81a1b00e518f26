// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/knowledge_objective.h"

#include <cmath>

#include "core/nn/deeplab.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/fixed_samples.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class KnowledgeObjectiveTest : public testing::Test {
 protected:
  KnowledgeObjectiveTest() { net_->eval(); }

  absl::StatusOr<Losses> Compute(const StudentOptions& options, absl::Status error = absl::OkStatus()) {
    return MakeKnowledgeObjective(net_, TrainingPrecision::kFp32, torch::Tensor(),
                                  std::make_unique<FixedSamples>(samples_, nullptr, error), options)
        ->Compute(batch_);
  }

  SegmentationNet net_ = SmallNet(ModelKind::kSingle);
  TensorBatch batch_ = SmallBatch();
  torch::Tensor samples_ = ThreeMembers();
};

// Place by place, in double.
TEST_F(KnowledgeObjectiveTest, IsTheCrossEntropyWithTheMembersMeanSoftmax) {
  StudentOptions options;
  options.temperature = 3;
  options.distillation_weight = 0.5;
  options.label_weight = 2;
  const auto losses = Compute(options);
  ASSERT_THAT(losses, IsOk());
  const torch::Tensor logits = net_->Forward(batch_.images).logits.to(torch::kFloat64);
  const torch::Tensor teacher = samples_.to(torch::kFloat64);
  double sum = 0;
  for (int n = 0; n < 2; ++n) {
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        double target = 0;  // of class 1
        for (int m = 0; m < 3; ++m) {
          const double lead = (teacher[m][n][1][y][x] - teacher[m][n][0][y][x]).item<double>();
          target += 1 / (1 + std::exp(-lead / 3)) / 3;
        }
        const double lead = (logits[n][1][y][x] - logits[n][0][y][x]).item<double>() / 3;
        sum += target * std::log1p(std::exp(-lead)) + (1 - target) * std::log1p(std::exp(lead));
      }
    }
  }
  const double distillation = 9 * sum / 128;
  const double labels = at::cross_entropy_loss(UpsampleBy4(logits.to(torch::kFloat32)), batch_.labels.to(torch::kInt64),
                                               {}, at::Reduction::Mean, 255)
                            .item<double>();
  EXPECT_NEAR(losses->uncertainty.item<double>(), distillation, 1e-5 * distillation);
  EXPECT_NEAR(losses->segmentation.item<double>(), labels, 1e-5);
  EXPECT_NEAR(losses->total.item<double>(), 0.5 * distillation + 2 * labels, 1e-4);
}

TEST_F(KnowledgeObjectiveTest, WithoutALabelWeightLabelsMoveNothing) {
  StudentOptions options;
  options.label_weight = 0;
  options.distillation_weight = 0;
  const auto losses = Compute(options);
  ASSERT_THAT(losses, IsOk());
  EXPECT_GT(losses->segmentation.item<double>(), 0);
  losses->total.backward();
  EXPECT_EQ(net_->named_parameters()["segmentation_head.0.weight"].grad().abs().max().item<double>(), 0);
}

TEST_F(KnowledgeObjectiveTest, ATeachersErrorIsPassedOn) {
  EXPECT_THAT(Compute({}, absl::InternalError("teacher: no")), HasStatus(StatusCode::kInternal, HasSubstr("no")));
}

}  // namespace
}  // namespace candor
