// SPDX-License-Identifier: Apache-2.0
//
// The network of a GPU against the readable one: its structure on the CPU, with plain operators; with cuDNN's where
// there is a device.
#include "core/engine/fused_network.h"

#include <algorithm>

#include "core/nn/segmentation_net.h"
#include "gtest/gtest.h"
#include "tests/core/engine/network_comparison.h"

namespace candor {
namespace {

using torch::Tensor;

struct Case {
  int64_t model_width, classes, channels, n, height, width;
};

class FusedNetworkTest : public testing::TestWithParam<Case> {
 protected:
  // The largest error of the scores on a device, in a type.
  double Error(torch::Device device, torch::ScalarType type) {
    const Case& c = GetParam();
    SegmentationNet net = FormulaNet("fused", c.model_width, c.classes, c.channels);
    FusedNetwork fused(*net, device, type);
    const Tensor images = Pictures(c.n, c.height, c.width);
    const Scores want = net->Forward(images);
    const Scores got = fused.Forward(images.to(device));
    EXPECT_EQ(got.uncertainty.defined(), c.channels > 0);
    const double error = RelativeError(got.logits, want.logits);
    return c.channels > 0 ? std::max(error, RelativeError(got.uncertainty, want.uncertainty)) : error;
  }

  torch::InferenceMode inference_;
};

TEST_P(FusedNetworkTest, SaysWhatTheReadableOneSays) { EXPECT_LT(Error(torch::kCPU, torch::kFloat), 1e-5); }

// 30 layers of rounding to 8 bits; random weights keep nothing apart.
TEST_P(FusedNetworkTest, StaysCloseInBfloat16) { EXPECT_LT(Error(torch::kCPU, torch::kBFloat16), 0.05); }

TEST_P(FusedNetworkTest, SaysTheSameOnAGpu) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no GPU, or LibTorch's CUDA library is not loaded";
  EXPECT_LT(Error(torch::kCUDA, torch::kFloat), 1e-2);  // products of TF32
  EXPECT_LT(Error(torch::kCUDA, torch::kBFloat16), 0.05);
}

INSTANTIATE_TEST_SUITE_P(Shapes, FusedNetworkTest,
                         testing::Values(Case{4, 5, 0, 1, 16, 16}, Case{4, 2, 3, 3, 48, 80}, Case{16, 11, 1, 2, 96, 64},
                                         Case{64, 19, 1, 1, 48, 48}));

TEST(FusedNetworkSplitTest, DecodersShareAnEncoder) {
  const torch::InferenceMode inference;
  SegmentationNet first = FormulaNet("fused", 16, 5, 1);
  SegmentationNet second = FormulaNet("another", 16, 5, 1);
  FusedNetwork fused_first(*first, torch::kCPU, torch::kFloat);
  FusedNetwork fused_second(*second, torch::kCPU, torch::kFloat);
  fused_second.DropEncoder();
  const Tensor images = Pictures(2, 48, 80);
  const EncoderFeatures encoded = fused_first.Encode(images);
  for (int round = 0; round < 2; ++round) {  // decoding leaves the features as they are
    EXPECT_LT(RelativeError(fused_first.Decode(encoded).logits, first->Forward(images).logits), 1e-5);
    const Scores want = second->Decode(first->Encode(images));
    EXPECT_LT(RelativeError(fused_second.Decode(encoded).logits, want.logits), 1e-5);
  }
}

}  // namespace
}  // namespace candor
