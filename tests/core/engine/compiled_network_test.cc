// SPDX-License-Identifier: Apache-2.0
//
// The compiled network against the readable one.
#include "core/engine/compiled_network.h"

#include <ATen/Parallel.h>

#include <string>
#include <vector>

#include "core/engine/cpu_features.h"
#include "core/nn/segmentation_net.h"
#include "gtest/gtest.h"
#include "tests/core/engine/network_comparison.h"

namespace candor {
namespace {

using torch::Tensor;

struct Case {
  int64_t model_width, classes, channels, n, height, width;
};

class CompiledNetworkTest : public testing::TestWithParam<Case> {
 protected:
  torch::InferenceMode inference_;
};

TEST_P(CompiledNetworkTest, SaysWhatTheReadableOneSays) {
  const Case& c = GetParam();
  SegmentationNet net = FormulaNet("compiled", c.model_width, c.classes, c.channels);
  CompiledNetwork compiled(*net, Precision::kFp32);
  const Tensor images = Pictures(c.n, c.height, c.width);
  const Scores want = net->Forward(images);
  const Scores got = compiled.Forward(images);
  EXPECT_LT(RelativeError(got.logits, want.logits), 1e-5);
  ASSERT_EQ(got.uncertainty.defined(), c.channels > 0);
  if (c.channels > 0) {
    EXPECT_LT(RelativeError(got.uncertainty, want.uncertainty), 1e-5);
  }
}

TEST_P(CompiledNetworkTest, StaysCloseInBfloat16) {
  if (!HasNativeBf16()) GTEST_SKIP() << "no bfloat16 products on this processor";
  const Case& c = GetParam();
  SegmentationNet net = FormulaNet("compiled", c.model_width, c.classes, c.channels);
  CompiledNetwork compiled(*net, Precision::kBf16);
  const Tensor images = Pictures(c.n, c.height, c.width);
  const Scores want = net->Forward(images);
  const Scores got = compiled.Forward(images);
  // 30 layers of rounding to 8 bits; random weights keep nothing apart.
  EXPECT_LT(RelativeError(got.logits, want.logits), 0.04);
  if (c.channels > 0) {
    EXPECT_LT(RelativeError(got.uncertainty, want.uncertainty), 0.04);
  }
}

// The ranges of the encoder's maps for these pictures, as calibration finds them.
EncoderRanges RangesOn(CompiledNetwork* network, const Tensor& images) {
  EncoderRanges ranges;
  size_t shown = 0;
  network->Observe([&shown, widen = ObserveRanges(&ranges)](size_t map, const Tensor& values) {
    EXPECT_EQ(map, shown++);
    widen(map, values);
  });
  network->Encode(images);
  EXPECT_EQ(shown, kEncoderMaps);
  network->Observe(nullptr);
  return ranges;
}

TEST_P(CompiledNetworkTest, StaysCloseInInt8) {
  if (!HasNativeInt8()) GTEST_SKIP() << "no products of bytes on this processor";
  const Case& c = GetParam();
  SegmentationNet net = FormulaNet("compiled", c.model_width, c.classes, c.channels);
  const Tensor images = Pictures(c.n, c.height, c.width);
  CompiledNetwork fp32(*net, Precision::kFp32);
  CompiledNetwork compiled(*net, Precision::kInt8, RangesOn(&fp32, images));
  const Scores want = net->Forward(images);
  const Scores got = compiled.Forward(images);
  // 16 layers of rounding to 255 steps of the largest value; random weights keep nothing apart.
  EXPECT_LT(RelativeError(got.logits, want.logits), 0.1);
  if (c.channels > 0) {
    EXPECT_LT(RelativeError(got.uncertainty, want.uncertainty), 0.1);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, CompiledNetworkTest,
                         testing::Values(Case{4, 5, 0, 1, 16, 16}, Case{4, 2, 3, 3, 48, 80}, Case{16, 11, 1, 2, 48, 80},
                                         Case{16, 11, 1, 1, 368, 480}, Case{64, 19, 1, 1, 16, 16},
                                         Case{64, 11, 3, 3, 48, 80}, Case{64, 11, 0, 1, 96, 64}));

TEST(CompiledNetworkShapesTest, TakesImagesInAnyLayout) {
  const torch::InferenceMode inference;
  SegmentationNet net = FormulaNet("compiled", 4, 5, 0);
  CompiledNetwork compiled(*net, Precision::kFp32);
  const Tensor images = Pictures(2, 32, 48);
  EXPECT_TRUE(torch::equal(compiled.Forward(images).logits, compiled.Forward(images.contiguous()).logits));
}

TEST(CompiledNetworkShapesTest, AlternatingShapesKeepTheirAnswers) {
  const torch::InferenceMode inference;
  SegmentationNet net = FormulaNet("compiled", 8, 5, 1);
  CompiledNetwork compiled(*net, Precision::kFp32);
  const Tensor small = Pictures(1, 32, 48);
  const Tensor large = Pictures(2, 64, 96);
  const Tensor small_logits = compiled.Forward(small).logits;
  const Tensor large_logits = compiled.Forward(large).logits;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(torch::equal(compiled.Forward(small).logits, small_logits));
    EXPECT_TRUE(torch::equal(compiled.Forward(large).logits, large_logits));
  }
  EXPECT_EQ(compiled.plans(), 2);
}

TEST(CompiledNetworkShapesTest, ForgetsTheShapeLongestUnused) {
  const torch::InferenceMode inference;
  SegmentationNet net = FormulaNet("compiled", 4, 5, 0);
  CompiledNetwork compiled(*net, Precision::kFp32);
  for (int round = 0; round < 2; ++round) {
    for (int64_t i = 1; i <= static_cast<int64_t>(CompiledNetwork::kMaxPlans) + 2; ++i) {
      const Tensor images = Pictures(1, 16 * i, 16);
      EXPECT_LT(RelativeError(compiled.Forward(images).logits, net->Forward(images).logits), 1e-5);
      EXPECT_LE(compiled.plans(), CompiledNetwork::kMaxPlans);
    }
  }
}

TEST(CompiledNetworkShapesTest, RefusesOtherShapesAndTypes) {
  const torch::InferenceMode inference;
  CompiledNetwork compiled(*FormulaNet("compiled", 4, 5, 0), Precision::kFp32);
  for (const Tensor& images :
       {torch::zeros({1, 3, 16, 24}), torch::zeros({1, 4, 16, 16}), torch::zeros({3, 16, 16}),
        torch::zeros({0, 3, 16, 16}), torch::zeros({1, 3, 0, 16}), torch::zeros({1, 3, 16, 16}, torch::kDouble)}) {
    EXPECT_THROW(compiled.Forward(images), c10::Error) << images.sizes();
  }
}

TEST(CompiledNetworkShapesTest, Int8WantsARangeForEveryMap) {
  const torch::InferenceMode inference;
  EXPECT_THROW(CompiledNetwork(*FormulaNet("compiled", 4, 5, 0), Precision::kInt8), c10::Error);
  EXPECT_THROW(CompiledNetwork(*FormulaNet("compiled", 4, 5, 0), Precision::kInt8, EncoderRanges(kEncoderMaps - 1)),
               c10::Error);
}

TEST(CompiledNetworkThreadsTest, TheAnswerDoesNotDependOnTheNumberOfThreads) {
  const torch::InferenceMode inference;
  std::vector<Precision> precisions = {Precision::kFp32};
  if (HasNativeBf16()) precisions.push_back(Precision::kBf16);
  const int threads = at::get_num_threads();
  for (const Precision precision : precisions) {
    CompiledNetwork compiled(*FormulaNet("compiled", 16, 11, 1), precision);
    const Tensor images = Pictures(2, 96, 160);
    at::set_num_threads(1);
    const Scores one = compiled.Forward(images);
    at::set_num_threads(2);
    const Scores two = compiled.Forward(images);
    EXPECT_TRUE(torch::equal(one.logits, two.logits)) << PrecisionName(precision);
    EXPECT_TRUE(torch::equal(one.uncertainty, two.uncertainty)) << PrecisionName(precision);
  }
  at::set_num_threads(threads);
}

// A decoder on another network's encoder: what the readable networks say in the same two steps.
TEST(CompiledNetworkSplitTest, DecodersShareAnEncoder) {
  const torch::InferenceMode inference;
  SegmentationNet first = FormulaNet("compiled", 16, 5, 1);
  SegmentationNet second = FormulaNet("another", 16, 5, 1);
  CompiledNetwork compiled_first(*first, Precision::kFp32);
  CompiledNetwork compiled_second(*second, Precision::kFp32);
  compiled_second.DropEncoder();
  constexpr int64_t kShapes[][3] = {{1, 48, 80}, {2, 32, 32}, {1, 48, 80}};
  for (const auto& [n, height, width] : kShapes) {
    const Tensor images = Pictures(n, height, width);
    const EncoderFeatures encoded = compiled_first.Encode(images);
    for (int round = 0; round < 2; ++round) {  // decoding leaves the features as they are
      EXPECT_LT(RelativeError(compiled_first.Decode(encoded).logits, first->Forward(images).logits), 1e-5);
      const Scores want = second->Decode(first->Encode(images));
      const Scores got = compiled_second.Decode(encoded);
      EXPECT_LT(RelativeError(got.logits, want.logits), 1e-5);
      EXPECT_LT(RelativeError(got.uncertainty, want.uncertainty), 1e-5);
    }
  }
}

}  // namespace
}  // namespace candor
