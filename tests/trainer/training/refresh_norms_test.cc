// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/refresh_norms.h"

#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/small_net.h"

namespace candor {
namespace {

// The encoder's first batch norm sees what the first convolution makes of the images: mean and unbiased variance of
// each batch, averaged over the batches.
TEST(RefreshNormsTest, StatisticsAreTheMeanOverTheBatches) {
  SegmentationNet net = SmallNet(ModelKind::kSingle);
  net->named_buffers()["encoder.bn1.running_mean"].fill_(100);
  const torch::Tensor images = torch::rand({3, 2, 3, 32, 32});
  int next = 0;
  ASSERT_THAT(RefreshNorms(
                  net, TrainingPrecision::kFp32, 3, [&]() -> absl::StatusOr<torch::Tensor> { return images[next++]; },
                  [] { return false; }),
              IsOk());
  const torch::NoGradGuard no_grad;
  torch::Tensor mean = torch::zeros({4});
  torch::Tensor variance = torch::zeros({4});
  for (int i = 0; i < 3; ++i) {
    const torch::Tensor y = torch::conv2d(images[i], net->named_parameters()["encoder.conv1.weight"], {}, 2, 3);
    mean += y.mean({0, 2, 3}) / 3;
    variance += y.transpose(0, 1).flatten(1).var(1, /*unbiased=*/true) / 3;
  }
  EXPECT_TRUE(torch::allclose(net->named_buffers()["encoder.bn1.running_mean"], mean, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(net->named_buffers()["encoder.bn1.running_var"], variance, 1e-4, 1e-5));
  EXPECT_EQ(net->named_buffers()["encoder.bn1.num_batches_tracked"].item<int64_t>(), 3);
  EXPECT_FALSE(net->is_training());
}

TEST(RefreshNormsTest, ItStopsWhenToldAndPassesErrorsOn) {
  SegmentationNet net = SmallNet(ModelKind::kSingle);
  const auto images = []() -> absl::StatusOr<torch::Tensor> { return torch::rand({2, 3, 32, 32}); };
  EXPECT_TRUE(absl::IsCancelled(RefreshNorms(net, TrainingPrecision::kFp32, 3, images, [] { return true; })));
  const auto broken = []() -> absl::StatusOr<torch::Tensor> { return absl::DataLossError("no picture"); };
  EXPECT_TRUE(absl::IsDataLoss(RefreshNorms(net, TrainingPrecision::kFp32, 3, broken, [] { return false; })));
}

}  // namespace
}  // namespace candor
