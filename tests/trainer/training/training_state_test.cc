// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/training_state.h"

#include <cmath>
#include <limits>

#include "core/nn/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/trainer/training/small_net.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

TrainOptions OptionsWith(double ema_decay) {
  TrainOptions options;
  options.ema_decay = ema_decay;
  options.optimizer.learning_rate = 0.05;
  return options;
}

TrainingState MakeState(double ema_decay, uint64_t seed = 1) {
  return TrainingState(SmallSpec(ModelKind::kStudent), SmallNet(ModelKind::kStudent, seed), OptionsWith(ema_decay),
                       torch::kCPU);
}

// A step with gradients of pure chance, statistics of the batch norms included.
void TakeStep(TrainingState& state, uint64_t seed) {
  torch::manual_seed(seed);
  for (torch::Tensor& parameter : state.net()->parameters()) parameter.mutable_grad() = torch::randn_like(parameter);
  state.optimizer().Step(1);
  for (torch::Tensor& buffer : state.net()->buffers()) {
    if (buffer.is_floating_point()) {
      buffer.copy_(torch::rand_like(buffer) * 1.5 + 0.5);
    } else {
      buffer.add_(1);
    }
  }
  ++state.step;
  state.UpdateAverage();
}

std::string BytesOf(const SegmentationNet& net) { return *SerializeSafetensors(SaveWeights(net)); }

class TrainingStateTest : public testing::TestWithParam<double> {};

TEST_P(TrainingStateTest, ACheckpointOnDiskRestoresEveryBit) {
  TrainingState state = MakeState(GetParam());
  for (uint64_t step = 1; step <= 3; ++step) TakeStep(state, step);
  state.best_miou = 0.1;
  state.best_step = 2;
  state.validated_step = 3;
  TemporaryFolder folder;
  ASSERT_THAT(SaveCheckpoint(folder.path(), state.ToCheckpoint()), IsOk());

  TrainingState restored = MakeState(GetParam(), /*seed=*/2);
  const auto checkpoint = LoadNewestCheckpoint(folder.path());
  ASSERT_THAT(checkpoint, IsOk());
  ASSERT_THAT(restored.Restore(**checkpoint), IsOk());
  EXPECT_EQ(restored.step, 3);
  EXPECT_EQ(restored.best_miou, 0.1);
  EXPECT_EQ(restored.best_step, 2);
  EXPECT_EQ(restored.validated_step, 3);
  EXPECT_EQ(BytesOf(restored.net()), BytesOf(state.net()));
  EXPECT_EQ(BytesOf(restored.kept()), BytesOf(state.kept()));

  // And it goes on alike: momentum is there too.
  TakeStep(state, 4);
  TakeStep(restored, 4);
  EXPECT_EQ(BytesOf(restored.net()), BytesOf(state.net()));
  EXPECT_EQ(BytesOf(restored.kept()), BytesOf(state.kept()));
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutAverage, TrainingStateTest, testing::Values(0.0, 0.5));

TEST(TrainingStateAverageTest, WithoutItTheWeightsAreKept) {
  TrainingState state = MakeState(0);
  TakeStep(state, 1);
  EXPECT_EQ(BytesOf(state.kept()), BytesOf(state.net()));
}

// decay = min(ema_decay, (1 + step) / (10 + step)): 2/11 after the first step.
TEST(TrainingStateAverageTest, FollowsTheFormula) {
  TrainingState state = MakeState(0.999);
  const torch::Tensor before = state.net()->named_parameters()["encoder.conv1.weight"].detach().clone();
  TakeStep(state, 1);
  const torch::Tensor after = state.net()->named_parameters()["encoder.conv1.weight"];
  const torch::Tensor kept = state.kept()->named_parameters()["encoder.conv1.weight"];
  EXPECT_TRUE(torch::allclose(kept, before * (2.0 / 11) + after * (9.0 / 11), 1e-5, 1e-6));
}

TEST(TrainingStateAverageTest, TakesInTheStatisticsOfBatchNorms) {
  TrainingState state = MakeState(0.125);  // below (1 + 1) / (10 + 1)
  TakeStep(state, 1);
  const torch::Tensor after = state.net()->named_buffers()["encoder.bn1.running_var"];
  const torch::Tensor kept = state.kept()->named_buffers()["encoder.bn1.running_var"];
  EXPECT_TRUE(torch::allclose(kept, 0.125 + after * 0.875, 1e-5, 1e-6));  // it began at 1
}

TEST(TrainingStateRestoreTest, AMissingMomentumIsDataLoss) {
  TrainingState state = MakeState(0);
  Checkpoint checkpoint = state.ToCheckpoint();
  checkpoint.tensors.pop_back();
  EXPECT_THAT(state.Restore(checkpoint), HasStatus(StatusCode::kDataLoss, HasSubstr("momentum.")));
}

TEST(TrainingStateRestoreTest, AMissingAverageIsDataLoss) {
  const Checkpoint checkpoint = MakeState(0).ToCheckpoint();
  TrainingState averaged = MakeState(0.5);
  EXPECT_THAT(averaged.Restore(checkpoint), HasStatus(StatusCode::kDataLoss, HasSubstr("average.")));
}

TEST(TrainingStateRestoreTest, AnotherShapeIsDataLoss) {
  Checkpoint checkpoint = MakeState(0).ToCheckpoint();
  checkpoint.tensors[0].shape = {1};
  checkpoint.tensors[0].data.resize(4);
  TrainingState state = MakeState(0);
  EXPECT_THAT(state.Restore(checkpoint), HasStatus(StatusCode::kDataLoss, HasSubstr("shape")));
}

TEST(TrainingStateFiniteTest, WhatIsNotFiniteIsNamed) {
  TrainingState state = MakeState(0);
  EXPECT_THAT(state.CheckFinite(), IsOk());
  {
    const torch::NoGradGuard no_grad;
    state.net()->named_parameters()["encoder.layer1.0.conv1.weight"][0][1][2][2] =
        std::numeric_limits<float>::infinity();
  }
  EXPECT_THAT(state.CheckFinite(), HasStatus(StatusCode::kOutOfRange,
                                             AllOf(HasSubstr("encoder.layer1.0.conv1.weight"), HasSubstr("step 0"))));
}

TEST(TrainingStateFiniteTest, MomentumCountsToo) {
  TrainingState state = MakeState(0);
  state.optimizer().buffers()[0].second.fill_(std::nanf(""));
  EXPECT_THAT(state.CheckFinite(), HasStatus(StatusCode::kOutOfRange, HasSubstr("momentum.")));
}

}  // namespace
}  // namespace candor
