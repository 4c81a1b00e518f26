// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/optimizer.h"

#include <map>
#include <string>

#include "gtest/gtest.h"
#include "tests/trainer/training/small_net.h"

namespace candor {
namespace {

OptimizerOptions Options() {
  OptimizerOptions options;
  options.learning_rate = 0.02;
  options.decoder_factor = 10;
  options.momentum = 0.9;
  options.weight_decay = 0.125;
  return options;
}

// torch::optim::SGD with the same two groups.
torch::optim::SGD TorchsSgd(const SegmentationNet& net, const OptimizerOptions& options) {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (const bool is_encoder : {true, false}) {
    std::vector<torch::Tensor> parameters;
    for (const auto& item : net->named_parameters()) {
      if ((item.key().rfind("encoder.", 0) == 0) == is_encoder) parameters.push_back(item.value());
    }
    auto sgd = std::make_unique<torch::optim::SGDOptions>(options.learning_rate * (is_encoder ? 1 : 10));
    sgd->momentum(options.momentum).weight_decay(options.weight_decay);
    groups.emplace_back(parameters, std::move(sgd));
  }
  return torch::optim::SGD(groups, torch::optim::SGDOptions(options.learning_rate));
}

void SetGradients(const SegmentationNet& net, uint64_t seed) {
  torch::manual_seed(seed);
  for (torch::Tensor& parameter : net->parameters()) parameter.mutable_grad() = torch::randn_like(parameter);
}

TEST(MomentumSgdTest, StepsAreTorchs) {
  const SegmentationNet ours = SmallNet(ModelKind::kStudent);
  const SegmentationNet torchs = SmallNet(ModelKind::kStudent);
  MomentumSgd optimizer(ours, Options());
  torch::optim::SGD reference = TorchsSgd(torchs, Options());
  uint64_t seed = 0;
  for (const double factor : {1.0, 0.7, 0.25}) {
    SetGradients(ours, ++seed);
    SetGradients(torchs, seed);
    optimizer.Step(factor);
    for (size_t g = 0; g < 2; ++g) reference.param_groups()[g].options().set_lr((g == 0 ? 0.02 : 0.2) * factor);
    reference.step();
    for (const auto& item : ours->named_parameters()) {
      const torch::Tensor other = torchs->named_parameters()[item.key()];
      EXPECT_TRUE(torch::allclose(item.value(), other, 1e-6, 1e-6)) << item.key() << ", factor " << factor;
    }
  }
}

TEST(MomentumSgdTest, WithoutAGradientEveryTensorDecaysNormalisationToo) {
  const SegmentationNet net = SmallNet(ModelKind::kStudent);
  std::map<std::string, torch::Tensor> before;
  for (const auto& item : net->named_parameters()) {
    before[item.key()] = item.value().detach().clone();
    item.value().mutable_grad() = torch::zeros_like(item.value());
  }
  MomentumSgd(net, Options()).Step(1);
  for (const auto& item : net->named_parameters()) {
    const double rate = item.key().rfind("encoder.", 0) == 0 ? 0.02 : 0.2;
    EXPECT_TRUE(torch::allclose(item.value(), before[item.key()] * (1 - rate * 0.125), 1e-6, 1e-7)) << item.key();
  }
  EXPECT_EQ(before.count("encoder.bn1.weight"), 1u);
}

// What a step without a gradient leaves of each parameter, as a factor, by name.
std::map<std::string, double> FactorsWithoutGradient(const ModelSpec& spec) {
  torch::manual_seed(1);
  const SegmentationNet net = MakeNetwork(spec);
  std::map<std::string, double> before;
  for (const auto& item : net->named_parameters()) {
    before[item.key()] = item.value().abs().sum().item<double>();
    item.value().mutable_grad() = torch::zeros_like(item.value());
  }
  MomentumSgd(net, Options()).Step(1);
  std::map<std::string, double> factors;
  for (const auto& item : net->named_parameters()) {
    factors[item.key()] = item.value().abs().sum().item<double>() / before[item.key()];
  }
  return factors;
}

TEST(MomentumSgdTest, GaussianWeightsDoNotDecay) {
  ModelSpec spec = SmallSpec(ModelKind::kSingle);
  spec.sampling.method = SamplingMethod::kWeightSamples;
  spec.sampling.is_decoder_only = true;
  std::map<std::string, double> factors = FactorsWithoutGradient(spec);
  EXPECT_NEAR(factors["encoder.conv1.weight"], 1 - 0.02 * 0.125, 1e-5);
  EXPECT_NEAR(factors["decoder.aspp.2.weight"], 1 - 0.2 * 0.125, 1e-5) << "a batch norm's";
  EXPECT_NEAR(factors["segmentation_head.0.bias"], 1 - 0.2 * 0.125, 1e-5);
  for (const char* name : {"decoder.block1.0.weight", "decoder.block1.0.weight_rho", "segmentation_head.0.weight",
                           "segmentation_head.0.weight_rho"}) {
    EXPECT_EQ(factors.count(name), 1u) << name;
    EXPECT_NEAR(factors[name], 1, 1e-7) << name;
  }
}

TEST(MomentumSgdTest, MembersFactorsDoNotDecay) {
  ModelSpec spec = SmallSpec(ModelKind::kSingle);
  spec.sampling.method = SamplingMethod::kRankOne;
  spec.sampling.passes = 3;
  std::map<std::string, double> factors = FactorsWithoutGradient(spec);
  EXPECT_NEAR(factors["encoder.conv1.weight"], 1 - 0.02 * 0.125, 1e-5);
  for (const char* name : {"encoder.conv1.r", "encoder.conv1.s", "segmentation_head.0.r"}) {
    EXPECT_EQ(factors.count(name), 1u) << name;
    EXPECT_NEAR(factors[name], 1, 1e-7) << name;
  }
}

TEST(MomentumSgdTest, BuffersHaveEveryParameterByName) {
  const SegmentationNet net = SmallNet(ModelKind::kSingle);
  MomentumSgd optimizer(net, Options());
  ASSERT_EQ(optimizer.buffers().size(), net->parameters().size());
  for (const auto& [name, buffer] : optimizer.buffers()) {
    EXPECT_EQ(buffer.sizes(), net->named_parameters()[name].sizes()) << name;
    EXPECT_EQ(buffer.count_nonzero().item<int64_t>(), 0) << name;
  }
}

TEST(MomentumSgdTest, ZeroGradientsDropsThem) {
  const SegmentationNet net = SmallNet(ModelKind::kSingle);
  MomentumSgd optimizer(net, Options());
  SetGradients(net, 1);
  optimizer.ZeroGradients();
  for (const torch::Tensor& parameter : net->parameters()) EXPECT_FALSE(parameter.grad().defined());
}

}  // namespace
}  // namespace candor
