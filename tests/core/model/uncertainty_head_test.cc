// SPDX-License-Identifier: Apache-2.0
//
// What model.json says of heads that are no 1x1 convolution.
#include <functional>
#include <vector>

#include "absl/strings/str_replace.h"
#include "core/model/model_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

ModelSpec WithHead(ModelKind kind, UncertaintyHead head, std::vector<UncertaintyKind> learned) {
  ModelSpec spec = ValidSpec(kind, 1);
  spec.head = head;
  spec.learned = std::move(learned);
  spec.uncertainty = UncertaintyKindsOf(spec);
  return spec;
}

ModelSpec EnergySpec() { return WithHead(ModelKind::kSingle, UncertaintyHead::kEnergy, {UncertaintyKind::kEnergy}); }

ModelSpec DensitySpec() {
  return WithHead(ModelKind::kSingle, UncertaintyHead::kFeatureDensity, {UncertaintyKind::kFeatureDensity});
}

ModelSpec ObserverSpec() {
  return WithHead(ModelKind::kStudent, UncertaintyHead::kObserver,
                  {UncertaintyKind::kDisagreement, UncertaintyKind::kPredictiveStddev});
}

TEST(UncertaintyHeadTest, AFittedKindComesFirst) {
  EXPECT_THAT(EnergySpec().uncertainty, ElementsAre(UncertaintyKind::kEnergy, UncertaintyKind::kPredictiveEntropy,
                                                    UncertaintyKind::kMaxProbability, UncertaintyKind::kMargin));
  EXPECT_EQ(DensitySpec().default_kind(), UncertaintyKind::kFeatureDensity);
  EXPECT_EQ(ObserverSpec().default_kind(), UncertaintyKind::kDisagreement);
}

TEST(UncertaintyHeadTest, JsonBringsHeadsBack) {
  for (ModelSpec spec : {EnergySpec(), DensitySpec(), ObserverSpec()}) {
    if (spec.head == UncertaintyHead::kFeatureDensity) spec.density_components = 5;
    const auto read = ModelSpecFromJson(ModelSpecToJson(spec));
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ(read->head, spec.head);
    EXPECT_EQ(read->density_components, spec.density_components);
    EXPECT_EQ(read->learned, spec.learned);
    EXPECT_EQ(read->uncertainty, spec.uncertainty);
  }
}

TEST(UncertaintyHeadTest, AHeadOfANewerBuildIsNamed) {
  const std::string json =
      absl::StrReplaceAll(ModelSpecToJson(EnergySpec()), {{R"("head": "energy")", R"("head": "soul")"}});
  EXPECT_THAT(ModelSpecFromJson(json), HasStatus(kInvalid, testing::AllOf(HasSubstr("head: "), HasSubstr("\"soul\""),
                                                                          HasSubstr("newer build"))));
}

struct Refusal {
  const char* name;
  std::function<ModelSpec()> spec;
  const char* message;
};

class HeadRefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(HeadRefusalTest, IsNamed) {
  EXPECT_THAT(ValidateModelSpec(GetParam().spec()), HasStatus(kInvalid, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, HeadRefusalTest,
    testing::Values(
        Refusal{"energyOfAStudent",
                [] { return WithHead(ModelKind::kStudent, UncertaintyHead::kEnergy, {UncertaintyKind::kEnergy}); },
                "head: energy is for kind single without sampling, not for student with none"},
        Refusal{
            "observerOfASingle",
            [] { return WithHead(ModelKind::kSingle, UncertaintyHead::kObserver, {UncertaintyKind::kDisagreement}); },
            "head: observer is for kind student"},
        Refusal{"densityWithDropout",
                [] {
                  ModelSpec spec = DensitySpec();
                  spec.sampling = DropoutSpec().sampling;
                  spec.uncertainty = UncertaintyKindsOf(spec);
                  return spec;
                },
                "head: feature_density is for kind single without sampling, not for single with mc_dropout"},
        Refusal{"anotherLearnedKind",
                [] {
                  ModelSpec spec = EnergySpec();
                  spec.learned = {UncertaintyKind::kFeatureDensity};
                  return spec;
                },
                "learned: must be energy alone for head energy"},
        Refusal{"nothingLearned",
                [] {
                  ModelSpec spec = ObserverSpec();
                  spec.learned.clear();
                  return spec;
                },
                "learned: must have at least 1 item for kind student"},
        Refusal{"moreComponentsThanChannels",
                [] {
                  ModelSpec spec = DensitySpec();
                  spec.density_components = 65;
                  return spec;
                },
                "density_components: must be in [0, 64] for head feature_density, is 65"},
        Refusal{"componentsOfAnotherHead",
                [] {
                  ModelSpec spec = EnergySpec();
                  spec.density_components = 1;
                  return spec;
                },
                "density_components: must be in [0, 0] for head energy, is 1"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace candor
