// SPDX-License-Identifier: Apache-2.0
#include "server/model_codec.h"

#include <cctype>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "tests/testing/fake_segmenter.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

v1::Model Filled(ModelInfo info) {
  LoadedModel model;
  model.segmenter = std::make_unique<FakeSegmenter>(std::move(info));
  v1::Model message;
  FillModel(model, &message);
  return message;
}

TEST(ToProtoTest, EveryKindHasAValueOfItsName) {
  for (const UncertaintyKind kind : kAllUncertaintyKinds) {
    std::string name = v1::UncertaintyKind_Name(ToProto(kind));
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(name, UncertaintyKindName(kind));
  }
}

TEST(FillModelTest, SaysEverythingAboutTheModel) {
  LoadedModel model;
  model.segmenter = std::make_unique<FakeSegmenter>(FakeModelInfo("ten", ModelKind::kEnsemble, 3));
  model.aliases = {"teacher"};
  v1::Model message;
  FillModel(model, &message);
  EXPECT_EQ(message.identity().name(), "ten");
  EXPECT_EQ(message.kind(), v1::ENSEMBLE);
  EXPECT_THAT(message.aliases(), ElementsAre("teacher"));
  EXPECT_EQ(message.members(), 2);
  EXPECT_EQ(message.architecture(), "deeplabv3plus_resnet18");
  EXPECT_EQ(message.width(), 64);
  EXPECT_EQ(message.parameters(), 2000);
  ASSERT_EQ(message.classes_size(), 3);
  EXPECT_EQ(message.classes(2).name(), "class2");
  EXPECT_EQ(message.classes(2).red(), 6);
  EXPECT_EQ(message.classes(2).green(), 4);
  EXPECT_EQ(message.classes(2).blue(), 2);
  ASSERT_EQ(message.uncertainty_size(), 7);
  EXPECT_EQ(message.uncertainty(0).kind(), v1::PREDICTIVE_STDDEV);
  EXPECT_EQ(message.uncertainty(0).range_max(), 1);
  EXPECT_EQ(message.uncertainty(1).name(), "predictive_entropy");
  EXPECT_EQ(message.uncertainty(1).unit(), "nats");
  EXPECT_THAT(message.uncertainty(1).range_max(), FloatNear(std::log(3.0F), 1e-6F));
  EXPECT_EQ(message.uncertainty(4).kind(), v1::DISAGREEMENT);
  EXPECT_EQ(message.uncertainty(4).name(), "disagreement");
  EXPECT_EQ(message.device(), "cpu");
  EXPECT_EQ(message.precision(), "fp32");
  EXPECT_EQ(message.predictions(), 2);
  EXPECT_EQ(message.sampling(), "");
  EXPECT_FALSE(message.has_calibration());
}

TEST(FillModelTest, SaysWhatTheCalibrationIs) {
  const v1::Model model =
      Filled(WithVerdict(FakeModelInfo("one", ModelKind::kStudent), UncertaintyKind::kMargin, 0.25F, 0.5F));
  ASSERT_TRUE(model.has_calibration());
  EXPECT_EQ(model.calibration().data(), "101 pictures");
  EXPECT_EQ(model.calibration().temperature(), 1.5F);
  const v1::VerdictInfo& verdict = model.calibration().verdict();
  EXPECT_EQ(verdict.kind(), v1::MARGIN);
  EXPECT_EQ(verdict.accept_max(), 0.25F);
  EXPECT_EQ(verdict.review_max(), 0.5F);
  EXPECT_EQ(verdict.error_rate(), 0.05F);
  EXPECT_EQ(verdict.reject_error_rate(), 0.1F);
}

TEST(FillModelTest, ATemperatureAloneGivesNoVerdict) {
  ModelInfo info = FakeModelInfo("one", ModelKind::kStudent);
  info.spec.calibration = Calibration();
  const v1::Model model = Filled(info);
  ASSERT_TRUE(model.has_calibration());
  EXPECT_EQ(model.calibration().temperature(), 1);
  EXPECT_FALSE(model.calibration().has_verdict());
}

TEST(FillModelTest, SaysWhichMembersAnEnsembleIsWithout) {
  ModelInfo info = FakeModelInfo("committee", ModelKind::kEnsemble);
  info.damaged_members = {"member_1.safetensors", "member_4.safetensors", "member_7.safetensors"};
  LoadedModel model;
  model.segmenter = std::make_shared<FakeSegmenter>(info);
  v1::Model message;
  FillModel(model, &message);
  EXPECT_EQ(message.members(), 2);
  EXPECT_EQ(message.damaged_members(), 3);
}

TEST(FillModelTest, SaysHowANetworkSamples) {
  ModelInfo info = FakeModelInfo("drop", ModelKind::kSingle);
  info.spec.sampling.method = SamplingMethod::kMcDropout;
  info.spec.sampling.passes = 10;
  const v1::Model model = Filled(info);
  EXPECT_EQ(model.sampling(), "mc_dropout");
  EXPECT_EQ(model.predictions(), 10);
  EXPECT_EQ(model.members(), 1);
}

}  // namespace
}  // namespace candor
