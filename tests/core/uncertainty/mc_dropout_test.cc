// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/mc_dropout.h"

#include "core/nn/dropout_mask.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"

namespace candor {
namespace {

constexpr float kRate = 0.2f;

SegmentationNet EvaluatedNet() {
  SegmentationNet net(8, 3, 0, kRate);
  FillWithFormula(net, "dropout");
  net->eval();
  return net;
}

TEST(McDropoutTest, PassesDifferAndRepeatExactly) {
  torch::InferenceMode inference;
  const torch::Tensor image = FormulaImage(32, 48);
  McDropoutMembers one(EvaluatedNet(), 3, kRate);
  McDropoutMembers other(EvaluatedNet(), 3, kRate);
  std::vector<torch::Tensor> passes;
  for (int t = 0; t < 3; ++t) passes.push_back(one.Run(t, image).logits);
  EXPECT_FALSE(torch::allclose(passes[0], passes[1], 1e-3, 1e-3));
  EXPECT_FALSE(torch::allclose(passes[1], passes[2], 1e-3, 1e-3));
  for (int t = 0; t < 3; ++t) EXPECT_TRUE(torch::equal(passes[t], other.Run(t, image).logits)) << t;
  for (int t = 0; t < 3; ++t) EXPECT_TRUE(torch::equal(passes[t], one.Run(t, image).logits)) << t;
}

TEST(McDropoutTest, APicturesPassDoesNotDependOnItsBatch) {
  torch::InferenceMode inference;
  const torch::Tensor image = FormulaImage(32, 48);
  const torch::Tensor batch = torch::cat({torch::zeros_like(image), image});
  McDropoutMembers members(EvaluatedNet(), 2, kRate);
  members.Run(0, batch);
  const torch::Tensor in_batch = members.Run(1, batch).logits[1];
  members.Run(0, image);
  EXPECT_TRUE(torch::allclose(in_batch, members.Run(1, image).logits[0], 1e-5, 1e-5));
}

TEST(McDropoutTest, PassesAverageToThePlainNetworkForASmallRate) {
  // A pass deviates by the order of sqrt(rate), the mean over all masks by that of the rate, and 128 passes take a
  // factor of 11 off the former.
  torch::InferenceMode inference;
  const torch::Tensor image = FormulaImage(32, 48);
  const torch::Tensor plain = EvaluatedNet()->Forward(image).logits;
  constexpr int kPasses = 128;
  McDropoutMembers members(EvaluatedNet(), kPasses, 0.002f);
  torch::Tensor sum = torch::zeros_like(plain);
  torch::Tensor squares = torch::zeros_like(plain);
  for (int t = 0; t < kPasses; ++t) {
    const torch::Tensor deviation = members.Run(t, image).logits - plain;
    sum += deviation;
    squares += deviation * deviation;
  }
  const double of_a_pass = (squares / kPasses).mean().sqrt().item<double>();
  const double of_the_mean = (sum / kPasses).square().mean().sqrt().item<double>();
  EXPECT_GT(of_a_pass, 0);
  EXPECT_LT(of_the_mean, 0.25 * of_a_pass);
}

TEST(McDropoutTest, DropsAfterEachOfTheFourLayers) {
  torch::InferenceMode inference;
  SegmentationNet net = EvaluatedNet();
  std::vector<int> layers;
  std::vector<int64_t> channels;
  net->AfterFirstLayer(net->FirstLayer(FormulaImage(32, 48)), [&](const torch::Tensor& x, int layer) {
    layers.push_back(layer);
    channels.push_back(x.size(1));
    return x;
  });
  EXPECT_EQ(layers, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(channels, (std::vector<int64_t>{8, 16, 32, 64}));
}

TEST(McDropoutTest, TheNetworkDropsInTrainingOnlyAndOnlyWhenConfigured) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(5);
  const torch::Tensor image = FormulaImage(32, 48);
  const auto still = [](SegmentationNet& net) {  // everything but the encoder's dropout in evaluation mode
    net->eval();
    net->named_modules()["encoder.dropout"]->train();
  };
  SegmentationNet net = EvaluatedNet();
  EXPECT_TRUE(torch::equal(net->Forward(image).logits, net->Forward(image).logits));
  still(net);
  EXPECT_FALSE(torch::allclose(net->Forward(image).logits, net->Forward(image).logits, 1e-3, 1e-3));
  SegmentationNet without(8, 3, 0);
  still(without);
  EXPECT_TRUE(torch::equal(without->Forward(image).logits, without->Forward(image).logits));
}

}  // namespace
}  // namespace candor
