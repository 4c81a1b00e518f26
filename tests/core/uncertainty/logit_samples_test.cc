// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/logit_samples.h"

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

// Gives the scores it was given, and counts how often it ran.
class GivenNetwork : public Network {
 public:
  explicit GivenNetwork(Scores scores) : scores_(std::move(scores)) {}
  Scores Forward(const torch::Tensor& images) override {
    ++runs;
    return {scores_.logits.narrow(0, 0, images.size(0)), scores_.uncertainty.narrow(0, 0, images.size(0))};
  }
  int runs = 0;

 private:
  const Scores scores_;
};

torch::Tensor Images(int64_t count) { return torch::zeros({count, 3, 16, 16}); }

// All draws [T, N, C, h, w] of a batch.
torch::Tensor DrawsOf(LogitSampleMembers* members, int64_t pictures) {
  std::vector<torch::Tensor> draws;
  for (int t = 0; t < members->members(); ++t) {
    const Scores scores = members->Run(t, Images(pictures));
    EXPECT_FALSE(scores.uncertainty.defined());
    draws.push_back(scores.logits);
  }
  return torch::stack(draws);
}

TEST(NormalDrawsTest, HaveMeanZeroAndVarianceOneInEveryDimension) {
  for (const int count : {2, 3, 10, 11, 128}) {
    const torch::Tensor draws = torch::tensor(NormalDraws(count, 13)).view({count, 13}).to(torch::kFloat64);
    EXPECT_LT(draws.mean(0).abs().max().item<double>(), 1e-6) << count;
    EXPECT_LT((draws.var(0, /*unbiased=*/true) - 1).abs().max().item<double>(), 1e-5) << count;
  }
}

TEST(NormalDrawsTest, ComeInOppositePairsAndAreNormal) {
  const torch::Tensor draws = torch::tensor(NormalDraws(128, 64)).view({64, 2, 64});
  EXPECT_TRUE(draws.select(1, 0).equal(-draws.select(1, 1)));
  // Of a normal distribution 68.3 % lie within one deviation and the fourth moment is 3.
  EXPECT_NEAR(draws.abs().lt(1).to(torch::kFloat64).mean().item<double>(), 0.683, 0.03);
  EXPECT_NEAR(draws.pow(4).mean().item<double>(), 3, 0.3);
  // Dimensions know nothing of each other.
  const torch::Tensor rows = draws.reshape({128, 64}).to(torch::kFloat64);
  const torch::Tensor correlation = rows.t().matmul(rows) / 127 - torch::eye(64, torch::kFloat64);
  EXPECT_LT(correlation.square().mean().sqrt().item<double>(), 0.2);
}

TEST(SpreadFromTest, TakesVariancesThenFactors) {
  const torch::Tensor head = torch::arange(6, torch::kFloat32).view({1, 6, 1, 1});
  const LogitSpread spread = SpreadFrom(head, 2);
  ASSERT_EQ(spread.variance.sizes(), torch::IntArrayRef({1, 2, 1, 1}));
  EXPECT_NEAR(spread.variance[0][1].item<double>(), std::exp(1.0) + kVarianceFloor, 1e-5);
  ASSERT_EQ(spread.factors.sizes(), torch::IntArrayRef({1, 2, 2, 1, 1}));
  EXPECT_EQ(spread.factors[0][1][0].item<double>(), 4);
  EXPECT_FALSE(SpreadFrom(head, 6).factors.defined());
}

TEST(SpreadFromTest, StaysFiniteWhateverTheHeadSays) {
  const LogitSpread spread = SpreadFrom(torch::tensor({-1e4f, 1e4f}).view({1, 2, 1, 1}), 2);
  EXPECT_NEAR(spread.variance[0][0].item<double>(), kVarianceFloor, 1e-6);
  EXPECT_TRUE(std::isfinite(spread.variance[0][1].item<float>()));
}

TEST(LogitSampleMembersTest, DrawsHaveTheMeanAndTheVarianceOfTheHead) {
  torch::manual_seed(1);
  const Scores scores = {torch::randn({2, 3, 4, 4}), torch::randn({2, 3, 4, 4})};
  const auto network = std::make_shared<GivenNetwork>(scores);
  LogitSampleMembers members(network, 10, /*temperature=*/1);
  const torch::Tensor draws = DrawsOf(&members, 2);
  EXPECT_EQ(network->runs, 1);
  EXPECT_LT((draws.mean(0) - scores.logits).abs().max().item<double>(), 1e-5);
  const torch::Tensor variance = scores.uncertainty.exp() + kVarianceFloor;
  EXPECT_LT((draws.var(0) / variance - 1).abs().max().item<double>(), 1e-4);
}

// With a factor the classes move together: here, far more than each alone.
TEST(LogitSampleMembersTest, AFactorMovesClassesTogether) {
  torch::Tensor head = torch::cat(
      {torch::full({1, 2, 4, 4}, -10.0f), torch::full({1, 1, 4, 4}, 3.0f), torch::full({1, 1, 4, 4}, -6.0f)}, 1);
  LogitSampleMembers members(std::make_shared<GivenNetwork>(Scores{torch::zeros({1, 2, 4, 4}), head}), 100, 1);
  const torch::Tensor draws = DrawsOf(&members, 1).select(1, 0).select(2, 1).select(2, 2).to(torch::kFloat64);
  const torch::Tensor covariance = draws.t().matmul(draws) / 99;
  EXPECT_NEAR(covariance[0][0].item<double>(), 9, 0.2);
  EXPECT_NEAR(covariance[0][1].item<double>(), -18, 0.4);
  EXPECT_NEAR(covariance[1][1].item<double>(), 36, 0.4);
}

TEST(LogitSampleMembersTest, TemperatureDividesTheSpread) {
  torch::manual_seed(2);
  const Scores scores = {torch::zeros({1, 3, 4, 4}), torch::randn({1, 6, 4, 4})};
  LogitSampleMembers plain(std::make_shared<GivenNetwork>(scores), 6, 1);
  LogitSampleMembers cooled(std::make_shared<GivenNetwork>(scores), 6, 2.5);
  EXPECT_TRUE(torch::allclose(DrawsOf(&plain, 1) / 2.5, DrawsOf(&cooled, 1)));
}

TEST(LogitSampleMembersTest, APicturesDrawsDoNotDependOnItsBatch) {
  torch::manual_seed(3);
  LogitSampleMembers members(
      std::make_shared<GivenNetwork>(Scores{torch::randn({2, 3, 4, 4}), torch::randn({2, 6, 4, 4})}), 4, 1);
  const torch::Tensor both = DrawsOf(&members, 2);
  members.Run(0, Images(2));  // a batch that is broken off
  EXPECT_TRUE(DrawsOf(&members, 1).equal(both.narrow(1, 0, 1)));
}

}  // namespace
}  // namespace candor
