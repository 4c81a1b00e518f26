// SPDX-License-Identifier: Apache-2.0
#include "core/nn/gaussian_weights.h"

#include <cmath>

#include "absl/strings/match.h"
#include "core/nn/convolve.h"
#include "core/nn/segmentation_net.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

constexpr int64_t kDraws = 40000;

double RhoOf(double deviation) { return std::log(std::expm1(deviation)); }

class Holder : public torch::nn::Module {
 public:
  explicit Holder(const torch::nn::Conv2dOptions& options) : conv(register_module("conv", torch::nn::Conv2d(options))) {
    MakeWeightsGaussian(*this);
  }
  torch::Tensor rho() { return conv->named_parameters(/*recurse=*/false)[kWeightRho]; }

  torch::nn::Conv2d conv;
};

// Mean and variance over the pictures of a batch.
void ExpectMoments(const torch::Tensor& draws, double mean, double variance) {
  const torch::Tensor values = draws.to(torch::kFloat64);
  const double n = static_cast<double>(values.numel());
  EXPECT_NEAR(values.mean().item<double>(), mean, 4 * std::sqrt(variance / n) + 1e-6);
  EXPECT_NEAR(values.var().item<double>(), variance, 4 * variance * std::sqrt(2 / n) + 1e-6);
}

TEST(GaussianWeightsTest, ADeviationIsTheSoftplusOfRho) {
  EXPECT_NEAR(DeviationOf(torch::zeros({1})).item<double>(), std::log(2.0), 1e-6);
  EXPECT_NEAR(DeviationOf(torch::full({1}, RhoOf(0.003))).item<double>(), 0.003, 1e-8);
}

TEST(GaussianWeightsTest, Float16KeepsDeviationsToAPartIn256) {
  const torch::Tensor rho = torch::linspace(-15.99, 3, 5000);
  const torch::Tensor stored = DeviationOf(rho.to(torch::kFloat16).to(torch::kFloat32));
  EXPECT_LE(((stored - DeviationOf(rho)).abs() / DeviationOf(rho)).max().item<double>(), 1.01 / 256);
}

TEST(GaussianWeightsTest, DeviationsAreAShareOfTheirLayers) {
  Holder holder(torch::nn::Conv2dOptions(3, 8, 3));
  const double spread = holder.conv->weight.std(/*unbiased=*/false).item<double>();
  EXPECT_NEAR(DeviationOf(holder.rho()).min().item<double>(), 0.05 * spread, 1e-5 * spread);
  SetDeviations(holder, 0.5);
  EXPECT_NEAR(DeviationOf(holder.rho()).max().item<double>(), 0.5 * spread, 1e-5 * spread);
}

// y = 0.5 * 2 - 1 * 3 + 0.25 = -1.75, its variance 0.1^2 2^2 + 0.2^2 3^2 = 0.4.
TEST(GaussianWeightsTest, ADrawHasTheMomentsOfItsWeights) {
  torch::manual_seed(1);
  Holder holder(torch::nn::Conv2dOptions(2, 1, 1));
  {
    const torch::NoGradGuard no_grad;
    holder.conv->weight.copy_(torch::tensor({0.5f, -1.0f}).reshape({1, 2, 1, 1}));
    holder.conv->bias.fill_(0.25);
    holder.rho().copy_(torch::tensor({RhoOf(0.1), RhoOf(0.2)}).reshape({1, 2, 1, 1}));
  }
  const torch::Tensor x = torch::tensor({2.0f, 3.0f}).reshape({1, 2, 1, 1}).expand({kDraws, 2, 1, 1}).contiguous();
  ExpectMoments(Convolve(holder.conv, x), -1.75, 0.4);
  holder.eval();
  const torch::Tensor means = Convolve(holder.conv, x.slice(0, 0, 2));
  EXPECT_NEAR(means.min().item<double>(), -1.75, 1e-6);
  EXPECT_NEAR(means.max().item<double>(), -1.75, 1e-6);
}

// The centre sees one pixel, by the weight in the middle of its channel: 3 * 0.5 and 3^2 0.1^2, or 3 * 2 and 3^2 0.3^2.
TEST(GaussianWeightsTest, ADilatedDepthwiseDrawHasThemToo) {
  torch::manual_seed(2);
  Holder holder(torch::nn::Conv2dOptions(2, 2, 3).padding(2).dilation(2).groups(2).bias(false));
  {
    const torch::NoGradGuard no_grad;
    for (const int channel : {0, 1}) {
      holder.conv->weight[channel].fill_(channel == 0 ? 0.5 : 2);
      holder.rho()[channel].fill_(RhoOf(channel == 0 ? 0.1 : 0.3));
    }
  }
  torch::Tensor x = torch::zeros({kDraws, 2, 3, 3}).contiguous(torch::MemoryFormat::ChannelsLast);
  x.select(2, 1).select(2, 1).fill_(3);
  const torch::Tensor centre = Convolve(holder.conv, x).select(2, 1).select(2, 1);
  ExpectMoments(centre.select(1, 0), 1.5, 0.09);
  ExpectMoments(centre.select(1, 1), 6, 0.81);
}

TEST(GaussianWeightsTest, OverBlackTheGradientIsFinite) {
  Holder holder(torch::nn::Conv2dOptions(2, 2, 3));
  torch::Tensor x = torch::zeros({1, 2, 8, 8}, torch::requires_grad());
  Convolve(holder.conv, x).square().sum().backward();
  EXPECT_TRUE(holder.rho().grad().isfinite().all().item<bool>());
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
}

TEST(GaussianWeightsTest, TheSpecSaysWhichPartsAreGaussian) {
  for (const bool is_decoder_only : {false, true}) {
    ModelSpec spec;
    spec.kind = ModelKind::kSingle;
    spec.width = 8;
    spec.classes.resize(3);
    spec.sampling.method = SamplingMethod::kWeightSamples;
    spec.sampling.passes = 2;
    spec.sampling.is_decoder_only = is_decoder_only;
    const SegmentationNet net = MakeNetwork(spec);
    const auto parameters = net->named_parameters();
    for (const auto& item : parameters) {
      if (!absl::EndsWith(item.key(), ".weight")) continue;
      const bool is_gaussian =
          item.value().dim() == 4 && !(is_decoder_only && absl::StartsWith(item.key(), "encoder."));
      EXPECT_EQ(parameters.contains(item.key() + "_rho"), is_gaussian) << item.key();
    }
  }
}

}  // namespace
}  // namespace candor
