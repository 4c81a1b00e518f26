// SPDX-License-Identifier: Apache-2.0
//
// The losses against Torch's own operators, and against values by hand.
#include "trainer/training/losses.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

struct Values {
  double loss = 0;
  torch::Tensor gradient;  // [N, C, h, w] float64
};

struct Example {
  torch::Tensor logits;   // [N, C, h, w] float32
  torch::Tensor labels;   // [N, 4h, 4w] uint8, a tenth of them void
  torch::Tensor weights;  // [C] or undefined
};

Example MakeExample(int64_t pictures, int64_t classes, int64_t height, int64_t width) {
  torch::manual_seed(classes * 1000 + height * 10 + width);
  Example example;
  example.logits = torch::randn({pictures, classes, height, width}) * 3;
  example.labels = torch::randint(classes, {pictures, 4 * height, 4 * width}, torch::kInt64).to(torch::kUInt8);
  example.labels.masked_fill_(torch::rand(example.labels.sizes()) < 0.1, 255);
  return example;
}

Values Ours(const Example& example) {
  const torch::Tensor logits = example.logits.clone().requires_grad_();
  const torch::Tensor loss = UpsampledCrossEntropy(logits, example.labels, example.weights);
  loss.backward();
  EXPECT_EQ(loss.dim(), 0);
  EXPECT_EQ(loss.scalar_type(), torch::kFloat32);
  return {loss.item<double>(), logits.grad().to(torch::kFloat64)};
}

// In float64.
Values Torchs(const Example& example) {
  const torch::Tensor logits = example.logits.to(torch::kFloat64).requires_grad_();
  const torch::Tensor scores =
      at::upsample_bilinear2d(logits, {4 * logits.size(2), 4 * logits.size(3)}, /*align_corners=*/true);
  const torch::Tensor weights = example.weights.defined() ? example.weights.to(torch::kFloat64) : torch::Tensor();
  const torch::Tensor loss =
      at::cross_entropy_loss(scores, example.labels.to(torch::kInt64), weights, at::Reduction::Mean, 255);
  loss.backward();
  return {loss.item<double>(), logits.grad()};
}

void ExpectEqual(const Values& ours, const Values& torchs) {
  EXPECT_NEAR(ours.loss, torchs.loss, 1e-5 * std::abs(torchs.loss));
  const double largest = torchs.gradient.abs().max().item<double>();
  EXPECT_LT((ours.gradient - torchs.gradient).abs().max().item<double>(), 2e-5 * largest);
}

// Vectors hold 4, 8 or 16 classes: below, at and above their length.
class CrossEntropyOfClassesTest : public testing::TestWithParam<int64_t> {};

TEST_P(CrossEntropyOfClassesTest, IsTorchs) {
  const Example example = MakeExample(2, GetParam(), 3, 5);
  ExpectEqual(Ours(example), Torchs(example));
}

TEST_P(CrossEntropyOfClassesTest, IsTorchsWithClassWeights) {
  Example example = MakeExample(2, GetParam(), 5, 3);
  example.weights = torch::rand({GetParam()}) + 0.1;
  example.weights[0] = 0;
  ExpectEqual(Ours(example), Torchs(example));
}

INSTANTIATE_TEST_SUITE_P(Classes, CrossEntropyOfClassesTest, testing::Values(2, 11, 16, 19, 33));

TEST(UpsampledCrossEntropyTest, OddAndSingleSizesAreTorchs) {
  const std::vector<std::pair<int64_t, int64_t>> sizes = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {13, 9}};
  for (const auto& [height, width] : sizes) {
    SCOPED_TRACE(testing::Message() << height << "x" << width);
    const Example example = MakeExample(1, 4, height, width);
    ExpectEqual(Ours(example), Torchs(example));
  }
}

TEST(UpsampledCrossEntropyTest, ChannelsLastAndBf16AreTaken) {
  Example example = MakeExample(2, 11, 4, 6);
  example.logits = example.logits.to(torch::kBFloat16).to(torch::kFloat32);
  const Values torchs = Torchs(example);
  example.logits = example.logits.contiguous(torch::MemoryFormat::ChannelsLast);
  ExpectEqual(Ours(example), torchs);

  const torch::Tensor logits = example.logits.to(torch::kBFloat16).requires_grad_();
  const torch::Tensor loss = UpsampledCrossEntropy(logits, example.labels, {});
  loss.backward();
  EXPECT_NEAR(loss.item<double>(), torchs.loss, 1e-5 * torchs.loss);
  EXPECT_EQ(logits.grad().scalar_type(), torch::kBFloat16);
}

TEST(UpsampledCrossEntropyTest, TheGradientIsScaledByWhatComesAfter) {
  const Example example = MakeExample(1, 3, 2, 2);
  const Values once = Ours(example);
  const torch::Tensor logits = example.logits.clone().requires_grad_();
  (UpsampledCrossEntropy(logits, example.labels, {}) * 4).backward();
  EXPECT_TRUE(logits.grad().to(torch::kFloat64).equal(once.gradient * 4));
}

TEST(UpsampledCrossEntropyTest, NothingLabelledIsZeroWithAZeroGradient) {
  Example example = MakeExample(2, 11, 3, 5);
  example.labels.fill_(255);
  const Values values = Ours(example);
  EXPECT_EQ(values.loss, 0);
  EXPECT_EQ(values.gradient.count_nonzero().item<int64_t>(), 0);
}

TEST(UpsampledCrossEntropyTest, OnlyClassesWithoutWeightIsZeroWithAZeroGradient) {
  Example example = MakeExample(1, 2, 2, 2);
  example.labels.fill_(1);
  example.weights = torch::tensor({1.0f, 0.0f});
  const Values values = Ours(example);
  EXPECT_EQ(values.loss, 0);
  EXPECT_EQ(values.gradient.count_nonzero().item<int64_t>(), 0);
}

TEST(UpsampledCrossEntropyTest, ALabelOutOfRangeThrows) {
  Example example = MakeExample(1, 11, 2, 2);
  for (const int label : {11, 254}) {
    example.labels[0][7][3] = label;
    EXPECT_THROW(UpsampledCrossEntropy(example.logits, example.labels, {}), c10::Error) << label;
  }
}

TEST(UpsampledCrossEntropyTest, OtherShapesAndTypesThrow) {
  const Example example = MakeExample(1, 3, 2, 2);
  const torch::Tensor& logits = example.logits;
  const torch::Tensor& labels = example.labels;
  EXPECT_THROW(UpsampledCrossEntropy(logits[0], labels, {}), c10::Error);
  EXPECT_THROW(UpsampledCrossEntropy(logits, labels.to(torch::kInt64), {}), c10::Error);
  EXPECT_THROW(UpsampledCrossEntropy(logits, labels.slice(2, 0, 7), {}), c10::Error);
  EXPECT_THROW(UpsampledCrossEntropy(logits, torch::cat({labels, labels}), {}), c10::Error);
  EXPECT_THROW(UpsampledCrossEntropy(logits, labels, torch::ones({2})), c10::Error);
}

TEST(UpsampledCrossEntropyTest, TheNumberOfThreadsChangesNoBit) {
  const Example example = MakeExample(5, 11, 9, 7);
  at::set_num_threads(1);
  const Values one = Ours(example);
  at::set_num_threads(2);
  const Values two = Ours(example);
  at::set_num_threads(1);
  EXPECT_EQ(one.loss, two.loss);
  EXPECT_TRUE(one.gradient.equal(two.gradient));
}

TEST(UpsampledCrossEntropyTest, ExtremeScoresStayFinite) {
  Example example = MakeExample(1, 3, 2, 2);
  for (const float scale : {1e4f, 1e30f}) {
    example.logits = torch::tensor({scale, -scale, 0.0f}).reshape({1, 3, 1, 1}).expand({1, 3, 2, 2}).contiguous();
    example.labels.fill_(1);
    const Values values = Ours(example);
    EXPECT_NEAR(values.loss / (2.0 * scale), 1, 1e-5);
    EXPECT_TRUE(values.gradient.isfinite().all().item<bool>());
    EXPECT_NEAR(values.gradient.sum({0, 2, 3})[0].item<double>(), 1, 1e-5);
    EXPECT_NEAR(values.gradient.sum({0, 2, 3})[1].item<double>(), -1, 1e-5);
  }
}

TEST(UpsampledCrossEntropyTest, AScoreThatIsNoNumberMakesALossThatIsNone) {
  for (const float value : {std::nanf(""), HUGE_VALF}) {
    Example example = MakeExample(1, 3, 2, 2);
    example.labels.fill_(1);
    example.logits[0][2] = value;  // of a class that no pixel has
    EXPECT_FALSE(std::isfinite(Ours(example).loss)) << value;
  }
}

class RmsleTest : public testing::Test {
 protected:
  // ln(1 + q) - ln(1 + z): 1 and 1 in the first picture; 2 and 0 in the second.
  const torch::Tensor prediction_ =
      torch::tensor({std::exp(1.0f) - 1, std::exp(1.0f) - 1, std::exp(2.0f) - 1, 0.5f}).reshape({2, 1, 2});
  const torch::Tensor target_ = torch::tensor({0.0f, 0.0f, 0.0f, 0.5f}).reshape({2, 1, 2});
};

TEST_F(RmsleTest, BatchIsOneRootOverAllPixels) {
  EXPECT_NEAR(Rmsle(prediction_, target_, {}, UncertaintyRoot::kBatch).item<double>(), std::sqrt(1.5), 1e-6);
}

TEST_F(RmsleTest, ImageIsTheMeanOfOneRootAPicture) {
  EXPECT_NEAR(Rmsle(prediction_, target_, {}, UncertaintyRoot::kImage).item<double>(), (1 + std::sqrt(2.0)) / 2, 1e-6);
}

TEST_F(RmsleTest, OnlyPixelsOfTheMaskCount) {
  const torch::Tensor mask = torch::tensor({1, 0, 0, 1}, torch::kUInt8).reshape({2, 1, 2});
  EXPECT_NEAR(Rmsle(prediction_, target_, mask, UncertaintyRoot::kBatch).item<double>(), std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(Rmsle(prediction_, target_, mask, UncertaintyRoot::kImage).item<double>(), 0.5, 1e-5);
}

TEST_F(RmsleTest, NoPixelIsZeroWithAFiniteGradient) {
  const torch::Tensor prediction = prediction_.clone().requires_grad_();
  const torch::Tensor mask = torch::zeros({2, 1, 2}, torch::kUInt8);
  for (const UncertaintyRoot root : {UncertaintyRoot::kBatch, UncertaintyRoot::kImage}) {
    const torch::Tensor loss = Rmsle(prediction, target_, mask, root);
    EXPECT_NEAR(loss.item<double>(), 0, 2e-6);
    loss.backward();
  }
  EXPECT_EQ(prediction.grad().count_nonzero().item<int64_t>(), 0);
}

TEST_F(RmsleTest, EqualMapsHaveAFiniteGradient) {
  const torch::Tensor prediction = target_.clone().requires_grad_();
  for (const UncertaintyRoot root : {UncertaintyRoot::kBatch, UncertaintyRoot::kImage}) {
    Rmsle(prediction, target_, {}, root).backward();
  }
  EXPECT_EQ(prediction.grad().count_nonzero().item<int64_t>(), 0);
}

// d/dq sqrt(mean r^2) = r / (N sqrt(mean r^2) (1 + q)).
TEST_F(RmsleTest, TheGradientIsTheFormulas) {
  const torch::Tensor prediction = prediction_.clone().requires_grad_();
  Rmsle(prediction, target_, {}, UncertaintyRoot::kBatch).backward();
  const double root = std::sqrt(1.5);
  EXPECT_NEAR(prediction.grad()[0][0][0].item<double>(), 1 / (4 * root * std::exp(1.0)), 1e-6);
  EXPECT_NEAR(prediction.grad()[1][0][0].item<double>(), 2 / (4 * root * std::exp(2.0)), 1e-6);
  EXPECT_NEAR(prediction.grad()[1][0][1].item<double>(), 0, 1e-6);
}

}  // namespace
}  // namespace candor
