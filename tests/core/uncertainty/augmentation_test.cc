// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/augmentation.h"

#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"

namespace candor {
namespace {

// Scores are the picture itself, averaged over 4x4 blocks: what a network that looks at each place alone would say.
class BlockMeans : public Network {
 public:
  Scores Forward(const torch::Tensor& images) override {
    sizes.push_back(images.sizes().slice(2).vec());
    return {torch::avg_pool2d(images, 4), {}};
  }
  std::vector<std::vector<int64_t>> sizes;
};

std::shared_ptr<Network> FormulaNet() {
  SegmentationNet net(8, 3, 0);
  FillWithFormula(net, "views");
  net->eval();
  return net.ptr();
}

TEST(AugmentationTest, AFlippedViewIsTheFlippedPicturesScoresFlippedBack) {
  torch::InferenceMode inference;
  const torch::Tensor image = FormulaImage(32, 48);
  const auto net = FormulaNet();
  AugmentedMembers members(net, {{1, false}, {1, true}});
  EXPECT_TRUE(torch::equal(members.Run(0, image).logits, net->Forward(image).logits));
  const torch::Tensor by_hand = torch::flip(net->Forward(torch::flip(image, {3})).logits, {3});
  EXPECT_TRUE(torch::equal(members.Run(1, image).logits, by_hand));
  EXPECT_FALSE(torch::allclose(by_hand, net->Forward(image).logits));
}

TEST(AugmentationTest, ViewsHaveSizesThatAreMultiplesOf16) {
  const auto net = std::make_shared<BlockMeans>();
  AugmentedMembers members(net, {{0.5, false}, {0.75, true}, {1.5, false}, {0.25, false}});
  for (int v = 0; v < 4; ++v) {
    EXPECT_EQ(members.Run(v, torch::zeros({2, 3, 32, 80})).logits.sizes().vec(), (std::vector<int64_t>{2, 3, 8, 20}));
  }
  // 32 and 80 times the scale are 16, 40; 24, 60; 48, 120; 8, 20: rounded half away from 0, at least 16.
  const std::vector<std::vector<int64_t>> want = {{16, 48}, {32, 64}, {48, 128}, {16, 16}};
  EXPECT_EQ(net->sizes, want);
}

TEST(AugmentationTest, ScaledViewsAreNotShifted) {
  // A ramp from left to right stays one, up to what averaging over blocks of another size does at its ends; and a view
  // and its mirror image say the same of it.
  const torch::Tensor ramp = torch::linspace(0, 1, 128).reshape({1, 1, 1, 128}).expand({1, 3, 64, 128}).contiguous();
  AugmentedMembers members(std::make_shared<BlockMeans>(), {{1, false}, {0.5, false}, {2, false}, {0.5, true}});
  const torch::Tensor plain = members.Run(0, ramp).logits;
  for (int v = 1; v < 4; ++v) {
    const torch::Tensor view = members.Run(v, ramp).logits;
    EXPECT_LT((view - plain).abs().max().item<double>(), 0.015) << v;  // half a block of the smaller view
    EXPECT_NEAR((view - plain).mean().item<double>(), 0, 1e-5) << v;
  }
}

}  // namespace
}  // namespace candor
