// SPDX-License-Identifier: Apache-2.0
//
// The network against segmentation_models_pytorch: parameter counts, key list, and outputs.
#include "core/nn/segmentation_net.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/nn/weights.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"
#include "tests/testing/golden.h"

namespace candor {
namespace {

int64_t Parameters(int64_t width, int64_t classes, int64_t channels) {
  int64_t count = 0;
  for (const torch::Tensor& parameter : SegmentationNet(width, classes, channels)->parameters()) {
    count += parameter.numel();
  }
  return count;
}

// Lines "KEY [SHAPE]" as the golden script writes them.
std::vector<std::string> StateDictLines(const SegmentationNet& net) {
  std::vector<std::string> lines;
  for (const TensorDescription& entry : StateDictOf(net)) {
    lines.push_back(absl::StrCat(entry.name, " [", absl::StrJoin(entry.shape, ", "), "]"));
  }
  return lines;
}

std::vector<std::string> GoldenLines(const std::string& name) {
  std::ifstream file(absl::StrCat(CANDOR_SOURCE_DIR, "/tests/golden/", name));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line[0] != '#') lines.push_back(line);
  }
  return lines;
}

void ExpectScoresNear(const torch::Tensor& actual, const NamedTensor& golden) {
  ASSERT_EQ(actual.squeeze(0).sizes().vec(), golden.shape);
  const std::vector<float> want = *golden.ToFloats();
  const torch::Tensor flat = actual.contiguous().reshape({-1});
  for (int64_t i = 0; i < flat.numel(); ++i) {
    ASSERT_NEAR(flat[i].item<float>(), want[i], 1e-4) << "element " << i << " of " << golden.name;
  }
}

TEST(SegmentationNetTest, HasThePapersParameterCounts) {
  EXPECT_EQ(Parameters(64, 19, 0), 12'333'923);
  EXPECT_EQ(Parameters(64, 19, 1), 12'334'180);
  EXPECT_EQ(Parameters(64, 11, 0), 12'331'867);
}

TEST(SegmentationNetTest, HasTheReferencesKeysAndShapesInOrder) {
  const std::vector<std::string> baseline = GoldenLines("state_dict_baseline.txt");
  const std::vector<std::string> student = GoldenLines("state_dict_student.txt");
  ASSERT_EQ(baseline.size(), 181);
  ASSERT_EQ(student.size(), 183);
  EXPECT_EQ(StateDictLines(SegmentationNet(64, 11, 0)), baseline);
  EXPECT_EQ(StateDictLines(SegmentationNet(64, 11, 1)), student);
}

TEST(SegmentationNetTest, DilatesEveryConvolutionOfLayer4) {
  const SegmentationNet net(64, 11, 0);
  int dilated = 0;
  for (const auto& item : net->named_modules()) {
    const auto* conv = item.value()->as<torch::nn::Conv2d>();
    if (conv == nullptr || item.key().find("encoder.layer4") != 0) continue;
    const auto& options = conv->options;
    EXPECT_EQ(options.stride()->at(0), 1) << item.key();
    if (options.kernel_size()->at(0) != 3) continue;
    EXPECT_EQ(options.dilation()->at(0), 2) << item.key();
    ++dilated;
  }
  EXPECT_EQ(dilated, 4);
}

TEST(SegmentationNetTest, BaselineAgreesWithTheReference) {
  torch::InferenceMode inference;
  SegmentationNet net(64, 11, 0);
  FillWithFormula(net, "golden");
  net->eval();
  auto golden = ReadGolden("network_baseline");
  const Scores scores = net->Forward(FormulaImage(64, 96));
  ExpectScoresNear(scores.logits, golden["logits"]);
  EXPECT_FALSE(scores.uncertainty.defined());
}

TEST(SegmentationNetTest, StudentAgreesWithTheReference) {
  torch::InferenceMode inference;
  SegmentationNet net(64, 11, 1);
  FillWithFormula(net, "golden");
  net->eval();
  auto golden = ReadGolden("network_student");
  const Scores scores = net->Forward(FormulaImage(64, 96));
  ExpectScoresNear(scores.logits, golden["logits"]);
  ExpectScoresNear(scores.uncertainty, golden["uncertainty"]);
}

TEST(SegmentationNetTest, StartsEncoderKaimingAndDecoderUniform) {
  torch::manual_seed(1);
  const SegmentationNet net(64, 11, 0);
  const auto parameters = net->named_parameters();
  // Kaiming normal, fan out: variance 2 / (512 * 9) for a 512-channel 3x3 convolution.
  const torch::Tensor encoder = parameters["encoder.layer4.1.conv2.weight"];
  EXPECT_NEAR(encoder.std().item<double>(), std::sqrt(2.0 / (512 * 9)), 1e-4);
  // PyTorch's default: uniform within 1 / sqrt(fan_in), so a standard deviation of that over sqrt(3).
  const torch::Tensor decoder = parameters["decoder.aspp.0.project.0.weight"];
  EXPECT_LE(decoder.abs().max().item<double>(), 1 / std::sqrt(1280.0) + 1e-6);
  EXPECT_NEAR(decoder.std().item<double>(), 1 / std::sqrt(3 * 1280.0), 1e-4);
}

TEST(SegmentationNetTest, RefusesSizesThatAreNoMultiplesOf16) {
  SegmentationNet net(8, 3, 0);
  EXPECT_THROW(net->Forward(torch::zeros({1, 3, 40, 64})), c10::Error);
  EXPECT_THROW(net->Forward(torch::zeros({1, 1, 32, 64})), c10::Error);
}

TEST(SegmentationNetFreezeTest, AFrozenEncoderHasNoGradientsAndKeepsItsStatistics) {
  SegmentationNet net(4, 3, 0);
  net->FreezeEncoder();
  net->train();
  const auto state = [&net] {
    std::vector<torch::Tensor> tensors;
    for (const auto& item : net->named_buffers()) tensors.push_back(item.value().clone());
    return tensors;
  };
  const std::vector<torch::Tensor> before = state();
  net->Forward(torch::rand({2, 3, 32, 32})).logits.sum().backward();
  for (const auto& item : net->named_parameters()) {
    const bool is_encoder = item.key().rfind("encoder.", 0) == 0;
    EXPECT_EQ(item.value().grad().defined(), !is_encoder) << item.key();
  }
  const std::vector<torch::Tensor> after = state();
  const auto buffers = net->named_buffers();
  for (size_t i = 0; i < before.size(); ++i) {
    const bool is_encoder = buffers[i].key().rfind("encoder.", 0) == 0;
    EXPECT_EQ(torch::equal(before[i], after[i]), is_encoder) << buffers[i].key();
  }
}

}  // namespace
}  // namespace candor
