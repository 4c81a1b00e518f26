// SPDX-License-Identifier: Apache-2.0
//
// From a trained member to a bundle with a fitted head that serves.
#include "trainer/fitting/fit_head.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/model/bundle.h"
#include "core/nn/deeplab.h"
#include "core/nn/preprocess.h"
#include "core/nn/weights.h"
#include "tests/trainer/training/training_fixture.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class FitHeadTest : public TrainingFixture {
 protected:
  void TrainSource(const std::string& more = "") {
    ASSERT_EQ(TrainMember(Options("epochs: 2 store: 'fp16'" + more), Run("run"), 0, ToTheEnd()).value(),
              RunOutcome::kDone);
  }

  FitOptions Energy() const {
    FitOptions options;
    options.bundle = MemberModel(Run("run"), 0);
    options.note = "tiny val";
    options.out = Run("fitted");
    return options;
  }
  FitOptions Density() const {
    FitOptions options = Energy();
    options.head = UncertaintyHead::kFeatureDensity;
    return options;
  }

  absl::StatusOr<std::string> Fit(const FitOptions& options) const {
    const auto train = OpenDataset("folder:" + data(), "train");
    const auto val = OpenDataset("folder:" + data(), "val");
    const bool is_density = options.head == UncertaintyHead::kFeatureDensity;
    return FitHead(options, is_density ? train->get() : nullptr, **val, {});
  }

  // The map of the default kind for a validation picture, by the model that serves.
  std::vector<float> Served(const std::string& bundle, int picture) const {
    const auto segmenter = LoadSegmenter(bundle, {});
    EXPECT_THAT(segmenter, IsOk());
    const auto val = OpenDataset("folder:" + data(), "val");
    const std::vector<KindRequest> kinds = {{(*segmenter)->info().spec.default_kind(), true}};
    const auto answer = (*segmenter)->Segment((*val)->Read(picture)->image, {kinds}, nullptr);
    EXPECT_THAT(answer, IsOk());
    return answer->kinds[0].map;
  }
};

SegmentationNet NetOf(const Bundle& bundle) {
  SegmentationNet net = MakeNetwork(bundle.spec);
  EXPECT_THAT(LoadWeights(bundle.members[0], net), IsOk());
  net->eval();
  return net;
}

const NamedTensor* Find(const TensorFile& file, const std::string& name) {
  for (const NamedTensor& tensor : file.tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

TEST_F(FitHeadTest, EnergyIsServedAsItsDefinitionSays) {
  TrainSource();
  const auto text = Fit(Energy());
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, HasSubstr("energy: 0.5 at "));
  const auto fitted = ReadBundle(Run("fitted"));
  ASSERT_THAT(fitted, IsOk());
  EXPECT_EQ(fitted->spec.kind, ModelKind::kSingle);
  EXPECT_EQ(fitted->spec.head, UncertaintyHead::kEnergy);
  EXPECT_THAT(fitted->spec.uncertainty, ElementsAre(UncertaintyKind::kEnergy, UncertaintyKind::kPredictiveEntropy,
                                                    UncertaintyKind::kMaxProbability, UncertaintyKind::kMargin));
  EXPECT_THAT(fitted->spec.training, HasSubstr("energy fitted on tiny val"));

  // The compiled network serves; the source's readable one is the reference.
  const torch::InferenceMode inference;
  SegmentationNet net = NetOf(*ReadBundle(Energy().bundle));
  const auto val = OpenDataset("folder:" + data(), "val");
  const torch::Tensor scale = torch::tensor(*Find(fitted->members[0], "uncertainty_head.scale")->ToFloats());
  std::vector<float> all;
  for (int i = 0; i < (*val)->size(); ++i) {
    const LabelledPicture picture = *(*val)->Read(i);
    const torch::Tensor logits = net->Forward(Preprocess(picture.image, fitted->spec.normalisation)).logits;
    const torch::Tensor energy = -logits.exp().sum(1, true).log();
    const torch::Tensor want = UpsampleBy4((energy - scale[0]) / scale[1])
                                   .sigmoid()[0][0]
                                   .slice(0, 0, picture.image.height)
                                   .slice(1, 0, picture.image.width);
    const std::vector<float> map = Served(Run("fitted"), i);
    EXPECT_LT((torch::tensor(map) - want.flatten()).abs().max().item<double>(), 2e-3) << i;
    all.insert(all.end(), map.begin(), map.end());
  }
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  EXPECT_NEAR(all[all.size() / 2], 0.5, 0.1) << "void pixels and what lies between scores are not in the fit";
}

TEST_F(FitHeadTest, DensityIsServedAndHighWhereNothingWasSeen) {
  // Weights that stay as they were drawn, the same on every processor: training would amplify its rounding.
  TrainSource(" seed: 3 learning_rate: 0.00000001");
  for (const int components : {0, 3}) {
    FitOptions options = Density();
    options.components = components;
    options.out = Run(absl::StrCat("density", components));
    ASSERT_THAT(Fit(options), IsOk());
    const auto fitted = ReadBundle(options.out);
    ASSERT_THAT(fitted, IsOk());
    EXPECT_EQ(fitted->spec.default_kind(), UncertaintyKind::kFeatureDensity);
    EXPECT_THAT(Find(fitted->members[0], "uncertainty_head.whiten")->shape,
                ElementsAre(2, components == 0 ? 16 : components, 16));
    const std::vector<float> seen = Served(options.out, 0);
    double mean = 0;
    for (const float u : seen) mean += u / static_cast<double>(seen.size());
    EXPECT_GT(mean, 0.2);
    EXPECT_LT(mean, 0.8);

    // A picture of glaring stripes is like nothing in the data.
    Image stripes{64, 48, {}};
    for (int i = 0; i < 64 * 48; ++i) {
      const auto value = static_cast<uint8_t>(i / 3 % 2 * 255);
      stripes.pixels.insert(stripes.pixels.end(), {value, 0, static_cast<uint8_t>(255 - value)});
    }
    const auto segmenter = LoadSegmenter(options.out, {});
    const std::vector<KindRequest> kinds = {{UncertaintyKind::kFeatureDensity, true}};
    const auto answer = (*segmenter)->Segment(stripes, {kinds}, nullptr);
    ASSERT_THAT(answer, IsOk());
    EXPECT_GT(answer->kinds[0].statistics.mean, mean + 0.1) << components;
  }
}

TEST_F(FitHeadTest, TheNetworkIsTheSameToTheBitAndTheHeadIsInFloats) {
  TrainSource();
  ASSERT_THAT(Fit(Density()), IsOk());
  const auto source = ReadBundle(Density().bundle);
  const auto fitted = ReadBundle(Run("fitted"));
  ASSERT_THAT(fitted, IsOk());
  for (const NamedTensor& tensor : source->members[0].tensors) {
    const NamedTensor* found = Find(fitted->members[0], tensor.name);
    ASSERT_NE(found, nullptr) << tensor.name;
    EXPECT_EQ(found->dtype, tensor.dtype);
    EXPECT_TRUE(found->data == tensor.data) << tensor.name;
  }
  EXPECT_EQ(Find(fitted->members[0], "encoder.conv1.weight")->dtype, DType::kF16);
  for (const char* name : {"scale", "whiten", "offset", "weight"}) {
    EXPECT_EQ(Find(fitted->members[0], absl::StrCat("uncertainty_head.", name))->dtype, DType::kF32) << name;
  }
}

TEST_F(FitHeadTest, OfACalibrationTheTemperatureStays) {
  TrainSource();
  ModelSpec spec = OpenBundle(Energy().bundle)->spec;
  Calibration calibration;
  calibration.data = "tiny val";
  calibration.temperature = 1.5f;
  calibration.verdict = Calibration::Verdict{UncertaintyKind::kPredictiveEntropy, 0.1f, 0.2f, 0.1f, 0.2f};
  spec.calibration = calibration;
  ASSERT_THAT(UpdateBundleSpec(Energy().bundle, spec), IsOk());
  ASSERT_THAT(Fit(Energy()), IsOk());
  const auto fitted = OpenBundle(Run("fitted"));
  ASSERT_THAT(fitted, IsOk());
  ASSERT_TRUE(fitted->spec.calibration.has_value());
  EXPECT_EQ(fitted->spec.calibration->temperature, 1.5f);
  EXPECT_FALSE(fitted->spec.calibration->verdict.has_value());
  EXPECT_THAT(LoadSegmenter(Run("fitted"), {}), IsOk());
}

TEST_F(FitHeadTest, ABundleOfAnotherWayIsRefused) {
  TrainSource(" dropout: 0.2 dropout_passes: 2");
  EXPECT_THAT(Fit(Energy()),
              HasStatus(StatusCode::kInvalidArgument,
                        HasSubstr("must predict without sampling, has mc_dropout, to be given head energy")));
  EXPECT_FALSE(HoldsBundle(Run("fitted")));
}

TEST_F(FitHeadTest, AFittedBundleIsNotFittedAgainNorOverwritten) {
  TrainSource();
  ASSERT_THAT(Fit(Energy()), IsOk());
  EXPECT_THAT(Fit(Energy()), HasStatus(StatusCode::kAlreadyExists, HasSubstr("fitted: holds a bundle already")));
  FitOptions again = Density();
  again.bundle = Run("fitted");
  again.out = Run("again");
  EXPECT_THAT(Fit(again), HasStatus(StatusCode::kInvalidArgument, HasSubstr("must have no head, has energy")));
}

TEST_F(FitHeadTest, WhatDoesNotFitIsRefused) {
  TrainSource();
  FitOptions options = Density();
  options.components = 17;
  EXPECT_THAT(Fit(options),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("at most the decoder's 16 channels, is 17")));
  options = Energy();
  options.bundle = Run("none");
  EXPECT_THAT(Fit(options), HasStatus(StatusCode::kNotFound, HasSubstr("none")));
  WriteContents(data() + "/classes.json",
                R"({"classes": [{"name": "meadow", "colour": [0, 128, 0]}, {"name": "house", "colour": [0, 0, 9]}]})");
  EXPECT_THAT(Fit(Energy()), HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr("house"), HasSubstr("barn"))));
}

}  // namespace
}  // namespace candor
