// SPDX-License-Identifier: Apache-2.0
#include "core/nn/member_network.h"

#include <cmath>

#include "core/nn/gaussian_weights.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"

namespace candor {
namespace {

ModelSpec SpecOf(SamplingMethod method, int passes) {
  ModelSpec spec;
  spec.kind = ModelKind::kSingle;
  spec.width = 8;
  spec.classes.resize(4);
  spec.sampling.method = method;
  spec.sampling.passes = passes;
  return spec;
}

TEST(MemberNetworkTest, ARankOneMemberSaysWhatTheSharedNetworkSaysOfItsPicture) {
  const torch::InferenceMode inference;
  const ModelSpec spec = SpecOf(SamplingMethod::kRankOne, 3);
  SegmentationNet stored = MakeNetwork(spec);
  FillWithFormula(stored, "rank");
  for (torch::Tensor& parameter : stored->parameters()) {
    if (parameter.dim() == 2) parameter.mul_(5).add_(1);  // factors, in [0.5, 1.5]
  }
  stored->eval();
  const torch::Tensor image = FormulaImage(32, 48);
  const torch::Tensor all = stored->Forward(image.repeat({3, 1, 1, 1})).logits;
  for (int m = 0; m < 3; ++m) {
    SegmentationNet member = MemberNetwork(spec, stored, m);
    const torch::Tensor alone = member->Forward(image).logits;
    EXPECT_LT((alone[0] - all[m]).abs().max().item<double>(), 1e-4 * all.abs().max().item<double>()) << m;
    EXPECT_EQ(member->parameters().size(), SegmentationNet(8, 4, 0)->parameters().size());
  }
  EXPECT_GT((all[0] - all[1]).abs().max().item<double>(), 0.01 * all.abs().max().item<double>());
}

class WeightSamplesTest : public testing::Test {
 protected:
  explicit WeightSamplesTest(bool is_decoder_only = false) {
    spec_.sampling.is_decoder_only = is_decoder_only;
    torch::manual_seed(4);
    stored_ = MakeNetwork(spec_);
    SetDeviations(*stored_, 0.25);
  }

  // (weight - mean) / deviation of every Gaussian weight of a member.
  torch::Tensor Standardised(int member) {
    const torch::NoGradGuard no_grad;
    const auto drawn = MemberNetwork(spec_, stored_, member)->named_parameters();
    const auto stored = stored_->named_parameters();
    std::vector<torch::Tensor> values;
    for (const auto& item : drawn) {
      if (const torch::Tensor* rho = stored.find(item.key() + "_rho")) {
        values.push_back(((item.value() - stored[item.key()]) / DeviationOf(*rho)).flatten());
      } else {
        EXPECT_TRUE(torch::equal(item.value(), stored[item.key()])) << item.key();
      }
    }
    return torch::cat(values).to(torch::kFloat64);
  }

  ModelSpec spec_ = SpecOf(SamplingMethod::kWeightSamples, 5);
  SegmentationNet stored_{nullptr};
};

class DecoderSamplesTest : public WeightSamplesTest {
 protected:
  DecoderSamplesTest() : WeightSamplesTest(/*is_decoder_only=*/true) {}
};

TEST_F(WeightSamplesTest, DrawsHaveTheirMeansAndDeviations) {
  const torch::Tensor values = Standardised(3);
  const double n = static_cast<double>(values.numel());
  EXPECT_GT(n, 1e5);
  EXPECT_NEAR(values.mean().item<double>(), 0, 4 / std::sqrt(n));
  EXPECT_NEAR(values.pow(2).mean().item<double>(), 1, 4 * std::sqrt(2 / n));
}

TEST_F(WeightSamplesTest, MembersAreIndependentAndRepeatThemselves) {
  const torch::Tensor first = Standardised(0);
  EXPECT_TRUE(torch::equal(first, Standardised(0)));
  EXPECT_LT(std::abs((first * Standardised(1)).mean().item<double>()),
            5 / std::sqrt(static_cast<double>(first.numel())));
}

TEST_F(DecoderSamplesTest, AnEncoderOfNumbersStaysAsItIs) { EXPECT_LT(Standardised(0).numel(), 1e5); }

}  // namespace
}  // namespace candor
