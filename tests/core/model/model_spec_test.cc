// SPDX-License-Identifier: Apache-2.0
#include "core/model/model_spec.h"

#include <functional>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(ModelKindTest, NamesParseToTheirKind) {
  for (ModelKind kind : {ModelKind::kStudent, ModelKind::kEnsemble, ModelKind::kSingle}) {
    EXPECT_EQ(*ParseModelKind(ModelKindName(kind)), kind);
  }
  EXPECT_EQ(ModelKindName(ModelKind::kEnsemble), "ensemble");
}

TEST(ModelKindTest, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_THAT(ParseModelKind("teacher"),
              HasStatus(kInvalid, AllOf(HasSubstr("student, ensemble or single"), HasSubstr("\"teacher\""))));
}

TEST(UncertaintyKindsOfTest, FollowTheTable) {
  using K = UncertaintyKind;
  EXPECT_THAT(UncertaintyKindsOf(ModelKind::kStudent),
              testing::ElementsAre(K::kPredictiveStddev, K::kPredictiveEntropy, K::kMaxProbability, K::kMargin));
  EXPECT_THAT(UncertaintyKindsOf(ModelKind::kEnsemble),
              testing::UnorderedElementsAre(K::kPredictiveStddev, K::kPredictiveEntropy, K::kExpectedEntropy,
                                            K::kMutualInformation, K::kMaxProbability, K::kMargin));
  EXPECT_EQ(UncertaintyKindsOf(ModelKind::kEnsemble).front(), K::kPredictiveStddev);
  EXPECT_THAT(UncertaintyKindsOf(ModelKind::kSingle),
              testing::ElementsAre(K::kPredictiveEntropy, K::kMaxProbability, K::kMargin));
}

TEST(ValidateModelSpecTest, AcceptsEachKind) {
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kStudent, 1)), IsOk());
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kSingle, 1)), IsOk());
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kEnsemble, 2)), IsOk());
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kEnsemble, 1000)), IsOk());
}

TEST(ValidateModelSpecTest, ChecksTheFileCountOfEachKind) {
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kStudent, 0)),
              HasStatus(kInvalid, "weights: must have 1 items for kind student, has 0"));
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kStudent, 2)), HasStatus(kInvalid, HasSubstr("has 2")));
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kSingle, 2)), HasStatus(kInvalid, HasSubstr("kind single")));
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kEnsemble, 1)),
              HasStatus(kInvalid, "weights: must have 2 to 1000 items for kind ensemble, has 1"));
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kEnsemble, 1001)), HasStatus(kInvalid, HasSubstr("has 1001")));
}

struct Fault {
  std::string message;  // part of it
  std::function<void(ModelSpec*)> damage;
};

TEST(ValidateModelSpecTest, NamesTheFieldTheValueAndTheRule) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Fault faults[] = {
      {"architecture: must be deeplabv3plus_resnet18, is \"unet\"", [](ModelSpec* s) { s->architecture = "unet"; }},
      {"width: must be a multiple of 4 in [4, 512], is 0", [](ModelSpec* s) { s->width = 0; }},
      {"width: must be a multiple of 4 in [4, 512], is 18", [](ModelSpec* s) { s->width = 18; }},
      {"width: must be a multiple of 4 in [4, 512], is 516", [](ModelSpec* s) { s->width = 516; }},
      {"classes: must have 2 to 255 items, has 1", [](ModelSpec* s) { s->classes.resize(1); }},
      {"classes: must have 2 to 255 items, has 256", [](ModelSpec* s) { s->classes.resize(256); }},
      {"classes[1].name: must not be empty", [](ModelSpec* s) { s->classes[1].name = ""; }},
      {"classes[2].name: must be unique, \"sky\" comes twice", [](ModelSpec* s) { s->classes[2].name = "sky"; }},
      {"classes[0].name: must be UTF-8", [](ModelSpec* s) { s->classes[0].name = "\xff"; }},
      {"normalisation.mean[1]: must be finite", [&](ModelSpec* s) { s->normalisation.mean[1] = infinity; }},
      {"normalisation.stddev[2]: must be above 0 and finite, is 0",
       [](ModelSpec* s) { s->normalisation.stddev[2] = 0; }},
      {"normalisation.stddev[0]: must be above 0", [](ModelSpec* s) { s->normalisation.stddev[0] = -1; }},
      {"normalisation.stddev[0]: must be above 0", [&](ModelSpec* s) { s->normalisation.stddev[0] = nan; }},
      {"uncertainty: must have at least 1 item, has 0", [](ModelSpec* s) { s->uncertainty.clear(); }},
      {"uncertainty[1].kind: must be unique, margin comes twice",
       [](ModelSpec* s) {
         s->uncertainty = {UncertaintyKind::kMargin, UncertaintyKind::kMargin};
       }},
      {"uncertainty[0].kind: must be one that kind student can give (predictive_stddev, predictive_entropy, "
       "max_probability, margin), is mutual_information",
       [](ModelSpec* s) { s->uncertainty = {UncertaintyKind::kMutualInformation}; }},
      {"weights[0].bytes: must be in [0, 4294967296], is -1", [](ModelSpec* s) { s->weights[0].bytes = -1; }},
      {"weights[0].bytes: must be in", [](ModelSpec* s) { s->weights[0].bytes = (int64_t{4} << 30) + 1; }},
      {"weights[0].sha256: must be 64 lower-case hex digits", [](ModelSpec* s) { s->weights[0].sha256.pop_back(); }},
      {"weights[0].sha256: must be 64 lower-case hex digits", [](ModelSpec* s) { s->weights[0].sha256[9] = 'A'; }},
      {"known_answer.labels: must hold 4096 bytes, holds 4095",
       [](ModelSpec* s) { s->known_answer.labels.pop_back(); }},
      {"known_answer.uncertainty: must hold 4096 bytes, holds 0",
       [](ModelSpec* s) { s->known_answer.uncertainty.clear(); }},
      {"known_answer.labels: must be below the class count 3, pixel 17 is 3",
       [](ModelSpec* s) { s->known_answer.labels[17] = 3; }},
      {"training: must be UTF-8", [](ModelSpec* s) { s->training = "\x80"; }}};
  for (const Fault& fault : faults) {
    ModelSpec spec = ValidSpec(ModelKind::kStudent, 1);
    fault.damage(&spec);
    EXPECT_THAT(ValidateModelSpec(spec), HasStatus(kInvalid, HasSubstr(fault.message)));
  }
}

TEST(ValidateModelSpecTest, RefusesFileNamesThatLeaveTheDirectory) {
  for (const char* name : {"", ".", "..", "../x", "/etc/passwd", "a/b", "model.json", "\xff"}) {
    ModelSpec spec = ValidSpec(ModelKind::kStudent, 1);
    spec.weights[0].name = name;
    EXPECT_THAT(ValidateModelSpec(spec), HasStatus(kInvalid, HasSubstr("weights[0].file: must be a file name")))
        << name;
  }
  ModelSpec zero = ValidSpec(ModelKind::kStudent, 1);
  zero.weights[0].name = std::string("a\0b", 3);
  EXPECT_THAT(ValidateModelSpec(zero), HasStatus(kInvalid, HasSubstr("weights[0].file: must be a file name")));
}

TEST(ValidateModelSpecTest, RefusesOneFileForTwoMembers) {
  ModelSpec spec = ValidSpec(ModelKind::kEnsemble, 3);
  spec.weights[2].name = spec.weights[0].name;
  EXPECT_THAT(ValidateModelSpec(spec), HasStatus(kInvalid, HasSubstr("weights[2].file: must be unique")));
}

}  // namespace
}  // namespace candor
