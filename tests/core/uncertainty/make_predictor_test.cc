// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/make_predictor.h"

#include <cmath>
#include <memory>
#include <tuple>
#include <vector>

#include "core/nn/dropout_mask.h"
#include "core/nn/gaussian_weights.h"
#include "core/nn/member_network.h"
#include "core/nn/weights.h"
#include "core/uncertainty/logit_samples.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr UncertaintyKind kStddev = UncertaintyKind::kPredictiveStddev;
constexpr UncertaintyKind kEntropy = UncertaintyKind::kPredictiveEntropy;
constexpr UncertaintyKind kMutual = UncertaintyKind::kMutualInformation;

ModelSpec SpecOf(ModelKind kind, int classes, int width) {
  ModelSpec spec;
  spec.kind = kind;
  if (kind == ModelKind::kStudent) spec.learned = {kStddev};
  spec.width = width;
  spec.classes.resize(classes);
  spec.uncertainty = {kMemberUncertaintyKinds.begin(), kMemberUncertaintyKinds.end()};
  return spec;
}

TensorFile FormulaFile(int64_t channels) {
  const SegmentationNet net(8, 4, channels);
  FillWithFormula(net, "make");
  return SaveWeights(net);
}

// What the predictor of a spec says about a 30x40 picture, probabilities included.
Segmentation PredictionOf(const ModelSpec& spec, const TensorFile& file, const std::vector<UncertaintyKind>& kinds) {
  torch::InferenceMode inference;
  auto predictor = MakeCpuPredictor(spec, {file});
  EXPECT_THAT(predictor, IsOk());
  std::vector<KindRequest> requests;
  for (const UncertaintyKind kind : kinds) requests.push_back({kind, true});
  auto results = (*predictor)->Predict(FormulaImage(32, 48), {30, 40}, {requests, true}, nullptr);
  EXPECT_THAT(results, IsOk());
  return (*std::move(results))[0];
}

torch::Tensor Crop(const torch::Tensor& full) { return full.slice(-2, 0, 30).slice(-1, 0, 40).contiguous(); }

void ExpectNear(const std::vector<float>& actual, const torch::Tensor& want, double tolerance) {
  const torch::Tensor values = want.contiguous().reshape({-1});
  ASSERT_EQ(static_cast<int64_t>(actual.size()), values.numel());
  const torch::Tensor got = torch::tensor(actual);
  EXPECT_LT((got - values).abs().max().item<double>(), tolerance);
}

// Scores of the plain network, upsampled.
Scores FullSize(const TensorFile& file, int64_t channels, const torch::Tensor& image) {
  SegmentationNet net(8, 4, channels);
  EXPECT_THAT(LoadWeights(file, net), IsOk());
  net->eval();
  Scores scores = net->Forward(image);
  scores.logits = UpsampleBy4(scores.logits);
  if (scores.uncertainty.defined()) scores.uncertainty = UpsampleBy4(scores.uncertainty);
  return scores;
}

TEST(MakePredictorTest, AStudentsLearnedKindsComeFromTheirChannels) {
  torch::InferenceMode inference;
  ModelSpec spec = SpecOf(ModelKind::kStudent, 4, 8);
  spec.learned = {kMutual, kStddev, kEntropy};
  const TensorFile file = FormulaFile(3);
  const Segmentation result = PredictionOf(spec, file, {kStddev, kEntropy, kMutual});
  const torch::Tensor learned = Crop(torch::sigmoid(FullSize(file, 3, FormulaImage(32, 48)).uncertainty)[0]);
  ExpectNear(result.kinds[0].map, learned[1], 1e-5);
  ExpectNear(result.kinds[1].map, learned[2] * std::log(4.0), 1e-5);
  ExpectNear(result.kinds[2].map, learned[0] * std::log(4.0), 1e-5);
}

TEST(MakePredictorTest, AStudentsStandardDeviationIsTheSigmoidOfItsHead) {
  torch::InferenceMode inference;
  const TensorFile file = FormulaFile(1);
  ModelSpec spec = SpecOf(ModelKind::kStudent, 4, 8);
  spec.learned = {kStddev};
  const Segmentation result = PredictionOf(spec, file, {kStddev});
  ExpectNear(result.kinds[0].map, Crop(torch::sigmoid(FullSize(file, 1, FormulaImage(32, 48)).uncertainty)), 1e-5);
}

TEST(MakePredictorTest, TemperatureDividesTheClassScoresAndNothingElse) {
  torch::InferenceMode inference;
  ModelSpec spec = SpecOf(ModelKind::kStudent, 4, 8);
  spec.learned = {kStddev};
  const TensorFile file = FormulaFile(1);
  spec.calibration = Calibration();
  spec.calibration->temperature = 2.5;
  const Scores scores = FullSize(file, 1, FormulaImage(32, 48));
  const Segmentation result = PredictionOf(spec, file, {kStddev});
  ExpectNear(result.probabilities, Crop(torch::softmax(scores.logits / 2.5, 1)), 1e-5);
  ExpectNear(result.kinds[0].map, Crop(torch::sigmoid(scores.uncertainty)), 1e-5);
}

TEST(MakePredictorTest, AugmentationAveragesTheSoftmaxOfItsViews) {
  torch::InferenceMode inference;
  ModelSpec spec = SpecOf(ModelKind::kSingle, 4, 8);
  spec.sampling.method = SamplingMethod::kAugmentation;
  spec.sampling.views = {{1, false}, {1, true}};
  const TensorFile file = FormulaFile(0);
  const torch::Tensor image = FormulaImage(32, 48);
  const torch::Tensor plain = torch::softmax(FullSize(file, 0, image).logits, 1);
  const torch::Tensor mirrored = torch::softmax(FullSize(file, 0, image.flip({3})).logits, 1).flip({3});
  const Segmentation result = PredictionOf(spec, file, {kMutual});
  ExpectNear(result.probabilities, Crop((plain + mirrored) / 2), 5e-4);  // scores of several members are rounded
  EXPECT_GT(result.kinds[0].statistics.mean, 0);
}

TEST(MakePredictorTest, McDropoutAveragesTheSoftmaxOfItsPasses) {
  torch::InferenceMode inference;
  ModelSpec spec = SpecOf(ModelKind::kSingle, 4, 8);
  spec.sampling.method = SamplingMethod::kMcDropout;
  spec.sampling.passes = 3;
  spec.sampling.dropout = 0.2f;
  const TensorFile file = FormulaFile(0);
  SegmentationNet net(8, 4, 0);
  ASSERT_THAT(LoadWeights(file, net), IsOk());
  net->eval();
  torch::Tensor sum = torch::zeros({1, 4, 32, 48});
  for (int t = 0; t < 3; ++t) {
    const auto dropout = [t](const torch::Tensor& x, int layer) {
      return x * DropoutMask(static_cast<uint32_t>(4 * t + layer), 0.2f, x.size(1), x.size(2), x.size(3));
    };
    const Scores scores = net->AfterFirstLayer(net->FirstLayer(FormulaImage(32, 48)), dropout);
    sum += torch::softmax(UpsampleBy4(scores.logits), 1);
  }
  const Segmentation result = PredictionOf(spec, file, {kMutual});
  ExpectNear(result.probabilities, Crop(sum / 3), 5e-4);
  EXPECT_GT(result.kinds[0].statistics.mean, 0);
}

// A temperature divides the deviations of scores along with their means.
TEST(MakePredictorTest, OneFileOfSeveralNetworksAveragesTheirSoftmax) {
  torch::InferenceMode inference;
  for (const SamplingMethod method : {SamplingMethod::kWeightSamples, SamplingMethod::kRankOne}) {
    ModelSpec spec = SpecOf(ModelKind::kSingle, 4, 8);
    spec.sampling.method = method;
    spec.sampling.passes = 3;
    spec.calibration = Calibration();
    spec.calibration->temperature = 2.5;
    SegmentationNet stored = MakeNetwork(spec);
    SetDeviations(*stored, 0.3);
    torch::Tensor sum = torch::zeros({1, 4, 32, 48});
    for (int m = 0; m < 3; ++m) {
      SegmentationNet member = MemberNetwork(spec, stored, m);
      sum += torch::softmax(UpsampleBy4(member->Forward(FormulaImage(32, 48)).logits) / 2.5, 1);
    }
    const Segmentation result = PredictionOf(spec, SaveWeights(stored), {kMutual});
    ExpectNear(result.probabilities, Crop(sum / 3), 5e-4);  // scores of several members are rounded
    EXPECT_GT(result.kinds[0].statistics.mean, 0);
  }
}

TEST(MakePredictorTest, FactorsOfAnotherNumberOfMembersAreRefused) {
  ModelSpec spec = SpecOf(ModelKind::kSingle, 4, 8);
  spec.sampling.method = SamplingMethod::kRankOne;
  spec.sampling.passes = 3;
  const TensorFile file = SaveWeights(MakeNetwork(spec));
  spec.sampling.passes = 4;
  EXPECT_THAT(MakeCpuPredictor(spec, {file}),
              HasStatus(StatusCode::kInvalidArgument, "member 0: encoder.conv1.r: has shape [3, 8], want [4, 8]"));
}

// A temperature divides the spread as it divides the mean.
TEST(MakePredictorTest, LogitSamplesAverageTheSoftmaxOfTheirDraws) {
  torch::InferenceMode inference;
  ModelSpec spec = SpecOf(ModelKind::kStudent, 4, 8);
  spec.learned.clear();
  spec.sampling.method = SamplingMethod::kLogitSamples;
  spec.sampling.passes = 4;
  spec.sampling.rank = 1;
  spec.calibration = Calibration();
  spec.calibration->temperature = 2.5;
  const TensorFile file = FormulaFile(8);
  const Scores scores = FullSize(file, 8, FormulaImage(32, 48));
  const torch::Tensor normals = torch::tensor(NormalDraws(4, 5)).view({4, 5});
  SegmentationNet net(8, 4, 8);
  ASSERT_THAT(LoadWeights(file, net), IsOk());
  net->eval();
  // The deviation is upsampled, not the variance.
  const LogitSpread spread = SpreadFrom(net->Forward(FormulaImage(32, 48)).uncertainty, 4);
  const torch::Tensor deviation = UpsampleBy4(spread.variance.sqrt());
  const torch::Tensor factor = UpsampleBy4(spread.factors.select(1, 0).contiguous());
  torch::Tensor sum = torch::zeros({1, 4, 32, 48});
  for (int t = 0; t < 4; ++t) {
    const torch::Tensor own = deviation * normals[t].narrow(0, 0, 4).view({1, 4, 1, 1});
    sum += torch::softmax((scores.logits + own + factor * normals[t][4]) / 2.5, 1);
  }
  const Segmentation result = PredictionOf(spec, file, {kMutual});
  ExpectNear(result.probabilities, Crop(sum / 4), 5e-4);
  EXPECT_GT(result.kinds[0].statistics.mean, 0);
}

TEST(MakePredictorTest, ADirichletsMeanIsTheSoftmaxOfItsScores) {
  torch::InferenceMode inference;
  ModelSpec spec = SpecOf(ModelKind::kStudent, 4, 8);
  spec.learned.clear();
  spec.sampling.method = SamplingMethod::kDirichlet;
  const TensorFile file = FormulaFile(0);
  const torch::Tensor logits = FullSize(file, 0, FormulaImage(32, 48)).logits;
  const torch::Tensor p = torch::softmax(logits, 1);
  const torch::Tensor largest = std::get<0>(p.max(1));
  const Segmentation result = PredictionOf(spec, file, {kStddev});
  ExpectNear(result.probabilities, Crop(p), 1e-5);
  ExpectNear(result.kinds[0].map, Crop((largest * (1 - largest) / (1 + logits.exp().sum(1))).sqrt()), 1e-5);
}

TEST(MakePredictorTest, AHeadOfAChannelAClassAnswersForTheLabel) {
  torch::InferenceMode inference;
  ModelSpec spec = SpecOf(ModelKind::kStudent, 4, 8);
  spec.head = UncertaintyHead::kPerClass;
  spec.learned = {kStddev};
  const TensorFile file = FormulaFile(4);
  const Scores scores = FullSize(file, 4, FormulaImage(32, 48));
  const torch::Tensor label = scores.logits.argmax(1, /*keepdim=*/true);
  ExpectNear(PredictionOf(spec, file, {kStddev}).kinds[0].map, Crop(scores.uncertainty.gather(1, label).sigmoid()),
             1e-5);
}

TEST(MakePredictorTest, SamplingModelsReproduceTheirKnownAnswer) {
  torch::InferenceMode inference;
  ModelSpec spec = SpecOf(ModelKind::kSingle, 4, 8);
  spec.sampling.method = SamplingMethod::kMcDropout;
  spec.sampling.passes = 2;
  spec.sampling.dropout = 0.5f;
  const TensorFile file = FormulaFile(0);
  const auto first = ComputeKnownAnswer(spec, torch::kCPU, MakeCpuPredictor(spec, {file})->get());
  const auto second = ComputeKnownAnswer(spec, torch::kCPU, MakeCpuPredictor(spec, {file})->get());
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->labels, second->labels);
  EXPECT_EQ(first->uncertainty, second->uncertainty);
}

TEST(MakePredictorTest, NamesTheMemberWhoseWeightsDoNotFit) {
  const TensorFile fits = SaveWeights(SegmentationNet(8, 3, 0));
  const TensorFile wide = SaveWeights(SegmentationNet(16, 3, 0));
  EXPECT_THAT(MakeCpuPredictor(SpecOf(ModelKind::kEnsemble, 3, 8), std::vector<TensorFile>{fits, wide}),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("member 1: encoder.conv1.weight: has shape")));
}

TEST(KnownAnswerTest, AcceptsSmallDifferencesAndRefusesLargeOnes) {
  KnownAnswer expected;
  expected.labels.assign(4096, 1);
  expected.uncertainty.assign(4096, 100);
  KnownAnswer actual = expected;
  std::fill_n(actual.labels.begin(), 40, 0);  // 0.98 %
  EXPECT_THAT(CheckKnownAnswer(expected, actual), IsOk());
  std::fill_n(actual.labels.begin(), 42, 0);  // 1.03 %
  EXPECT_THAT(CheckKnownAnswer(expected, actual), HasStatus(StatusCode::kDataLoss, HasSubstr("98.97 %")));
  actual = expected;
  actual.uncertainty.assign(4096, 103);  // 3/255 = 0.0118
  EXPECT_THAT(CheckKnownAnswer(expected, actual), HasStatus(StatusCode::kDataLoss, HasSubstr("0.0118")));
}

}  // namespace
}  // namespace candor
