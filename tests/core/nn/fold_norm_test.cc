// SPDX-License-Identifier: Apache-2.0
#include "core/nn/fold_norm.h"

#include "core/nn/layers.h"
#include "core/nn/segmentation_net.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"

namespace candor {
namespace {

TEST(FoldNormTest, EqualsTheConvolutionFollowedByTheNorm) {
  // One channel: w = 2, mean 3, var 4 - eps, scale 6, shift 1: 6 (2 x - 3) / 2 + 1 = 6 x - 8.
  torch::InferenceMode inference;
  torch::nn::Conv2d conv(Conv(1, 1, 1));
  torch::nn::BatchNorm2d norm(1);
  norm->eval();
  conv->weight.fill_(2);
  norm->running_mean.fill_(3);
  norm->running_var.fill_(4 - norm->options.eps());
  norm->weight.fill_(6);
  norm->bias.fill_(1);
  FoldNorm(conv, norm);
  EXPECT_NEAR(ConvNorm(conv, norm, torch::full({1, 1, 1, 1}, 5.0f)).item<float>(), 22, 1e-5);
  EXPECT_THROW(FoldNorm(conv, norm), c10::Error);
}

TEST(FoldNormsTest, LeaveTheNetworksScores) {
  torch::InferenceMode inference;
  SegmentationNet net(16, 7, 2);
  FillWithFormula(net, "fold");
  net->eval();
  const torch::Tensor image = FormulaImage(48, 64);
  const Scores want = net->Forward(image);
  FoldNorms(*net);
  // No norm runs any more: one left out of the folding would spoil the scores now.
  for (const auto& module : net->modules()) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->running_mean.fill_(1e6);
  }
  const Scores folded = net->Forward(image);
  const double scale = want.logits.abs().max().item<double>();
  EXPECT_LT((folded.logits - want.logits).abs().max().item<double>(), 1e-5 * scale);
  EXPECT_LT((folded.uncertainty - want.uncertainty).abs().max().item<double>(), 1e-5 * scale);
}

}  // namespace
}  // namespace candor
