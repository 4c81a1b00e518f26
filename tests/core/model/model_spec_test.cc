// SPDX-License-Identifier: Apache-2.0
#include "core/model/model_spec.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
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

using K = UncertaintyKind;

ModelSpec OfKind(ModelKind kind) {
  ModelSpec spec;
  spec.kind = kind;
  return spec;
}

TEST(UncertaintyKindsOfTest, FollowTheTable) {
  EXPECT_THAT(UncertaintyKindsOf(OfKind(ModelKind::kEnsemble)),
              ElementsAre(K::kPredictiveStddev, K::kPredictiveEntropy, K::kExpectedEntropy, K::kMutualInformation,
                          K::kDisagreement, K::kMaxProbability, K::kMargin));
  EXPECT_THAT(UncertaintyKindsOf(OfKind(ModelKind::kSingle)),
              ElementsAre(K::kPredictiveEntropy, K::kMaxProbability, K::kMargin));
}

TEST(UncertaintyKindsOfTest, AStudentHasWhatItLearnedFirst) {
  ModelSpec student = OfKind(ModelKind::kStudent);
  student.learned = {K::kPredictiveStddev};
  EXPECT_THAT(UncertaintyKindsOf(student),
              ElementsAre(K::kPredictiveStddev, K::kPredictiveEntropy, K::kMaxProbability, K::kMargin));
  student.learned = {K::kMutualInformation, K::kMaxProbability, K::kPredictiveStddev};
  EXPECT_THAT(UncertaintyKindsOf(student), ElementsAre(K::kMutualInformation, K::kMaxProbability, K::kPredictiveStddev,
                                                       K::kPredictiveEntropy, K::kMargin));
}

TEST(UncertaintyKindsOfTest, ANetworkThatSamplesHasTheKindsOfAnEnsemble) {
  ModelSpec sampled = OfKind(ModelKind::kSingle);
  for (const SamplingMethod method : {SamplingMethod::kMcDropout, SamplingMethod::kAugmentation}) {
    sampled.sampling.method = method;
    EXPECT_EQ(UncertaintyKindsOf(sampled), UncertaintyKindsOf(OfKind(ModelKind::kEnsemble)));
  }
}

TEST(PredictionCountTest, CountsMembersPassesOrViews) {
  EXPECT_EQ(PredictionCount(ValidSpec(ModelKind::kStudent, 1)), 1);
  EXPECT_EQ(PredictionCount(ValidSpec(ModelKind::kSingle, 1)), 1);
  EXPECT_EQ(PredictionCount(ValidSpec(ModelKind::kEnsemble, 7)), 7);
  EXPECT_EQ(PredictionCount(DropoutSpec()), 10);
  EXPECT_EQ(PredictionCount(AugmentedSpec()), 3);
}

TEST(SamplingMethodTest, NamesParseToTheirMethod) {
  for (SamplingMethod method : {SamplingMethod::kNone, SamplingMethod::kMcDropout, SamplingMethod::kAugmentation}) {
    EXPECT_EQ(*ParseSamplingMethod(SamplingMethodName(method)), method);
  }
  EXPECT_EQ(SamplingMethodName(SamplingMethod::kMcDropout), "mc_dropout");
  EXPECT_THAT(ParseSamplingMethod("dropout"),
              HasStatus(kInvalid, HasSubstr("rank_one, logit_samples or dirichlet, is \"dropout\"")));
}

TEST(ValidateModelSpecTest, AcceptsEachKind) {
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kStudent, 1)), IsOk());
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kSingle, 1)), IsOk());
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kEnsemble, 2)), IsOk());
  EXPECT_THAT(ValidateModelSpec(ValidSpec(ModelKind::kEnsemble, 1000)), IsOk());
  EXPECT_THAT(ValidateModelSpec(DropoutSpec()), IsOk());
  EXPECT_THAT(ValidateModelSpec(AugmentedSpec()), IsOk());
  EXPECT_THAT(ValidateModelSpec(Calibrated(ValidSpec(ModelKind::kStudent, 1))), IsOk());
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

void ExpectFaults(const ModelSpec& valid, const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    ModelSpec spec = valid;
    fault.damage(&spec);
    EXPECT_THAT(ValidateModelSpec(spec), HasStatus(kInvalid, HasSubstr(fault.message)));
  }
}

TEST(ValidateModelSpecTest, ChecksWhatAStudentHasLearned) {
  ExpectFaults(
      ValidSpec(ModelKind::kStudent, 1),
      {{"learned: must have at least 1 item for kind student, has 0", [](ModelSpec* s) { s->learned.clear(); }},
       {"learned[1]: must be unique, margin comes twice",
        [](ModelSpec* s) {
          s->learned = {K::kMargin, K::kMargin};
        }},
       {"uncertainty[0].kind: must be one that kind student can give (mutual_information, ",
        [](ModelSpec* s) { s->learned = {K::kMutualInformation}; }}});
  ExpectFaults(ValidSpec(ModelKind::kSingle, 1), {{"learned: must be empty for kind single, has 1 items",
                                                   [](ModelSpec* s) { s->learned = {K::kPredictiveStddev}; }}});
}

TEST(ValidateModelSpecTest, AStudentMayHaveLearnedKindsOfSeveralMembers) {
  ModelSpec spec = ValidSpec(ModelKind::kStudent, 1);
  spec.learned = {K::kPredictiveStddev, K::kMutualInformation, K::kExpectedEntropy};
  spec.uncertainty = UncertaintyKindsOf(spec);
  EXPECT_THAT(ValidateModelSpec(spec), IsOk());
}

TEST(ValidateModelSpecTest, ChecksSampling) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  ExpectFaults(DropoutSpec(),
               {{"sampling.passes: must be in [2, 128], is 1", [](ModelSpec* s) { s->sampling.passes = 1; }},
                {"sampling.passes: must be in [2, 128], is 129", [](ModelSpec* s) { s->sampling.passes = 129; }},
                {"sampling.dropout: must be in (0, 1), is 0", [](ModelSpec* s) { s->sampling.dropout = 0; }},
                {"sampling.dropout: must be in (0, 1), is 1", [](ModelSpec* s) { s->sampling.dropout = 1; }},
                {"sampling.dropout: must be in (0, 1), is nan", [&](ModelSpec* s) { s->sampling.dropout = nan; }}});
  ExpectFaults(AugmentedSpec(),
               {{"sampling.views: must have 2 to 32 items, has 1", [](ModelSpec* s) { s->sampling.views.resize(1); }},
                {"sampling.views: must have 2 to 32 items, has 33", [](ModelSpec* s) { s->sampling.views.resize(33); }},
                {"sampling.views[2].scale: must be in [0.25, 4], is 0.2",
                 [](ModelSpec* s) { s->sampling.views[2].scale = 0.2f; }},
                {"sampling.views[0].scale: must be in [0.25, 4], is 4.5",
                 [](ModelSpec* s) { s->sampling.views[0].scale = 4.5f; }},
                {"sampling.views[0].scale: must be in", [&](ModelSpec* s) { s->sampling.views[0].scale = nan; }}});
  const auto sample = [](ModelSpec* s) { s->sampling = DropoutSpec().sampling; };
  ExpectFaults(ValidSpec(ModelKind::kStudent, 1),
               {{"sampling.method: mc_dropout is for kind single, not for student", sample}});
  ExpectFaults(ValidSpec(ModelKind::kEnsemble, 2),
               {{"sampling.method: mc_dropout is for kind single, not for ensemble", sample}});
}

TEST(ValidateModelSpecTest, ChecksSamplingOfWeights) {
  for (const SamplingMethod method : {SamplingMethod::kWeightSamples, SamplingMethod::kRankOne}) {
    ModelSpec spec = DropoutSpec();
    spec.sampling = {};
    spec.sampling.method = method;
    spec.sampling.passes = 4;
    EXPECT_THAT(ValidateModelSpec(spec), IsOk());
    EXPECT_EQ(PredictionCount(spec), 4);
    EXPECT_EQ(UncertaintyKindsOf(spec), UncertaintyKindsOf(OfKind(ModelKind::kEnsemble)));
    ExpectFaults(spec,
                 {{"sampling.passes: must be in [2, 128], is 1", [](ModelSpec* s) { s->sampling.passes = 1; }},
                  {"sampling.passes: must be in [2, 128], is 129", [](ModelSpec* s) { s->sampling.passes = 129; }}});
    ExpectFaults(
        ValidSpec(ModelKind::kEnsemble, 2),
        {{absl::StrCat("sampling.method: ", SamplingMethodName(method), " is for kind single, not for ensemble"),
          [&spec](ModelSpec* s) { s->sampling = spec.sampling; }}});
  }
}

TEST(ValidateModelSpecTest, ChecksTemperatureAndVerdict) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto temperature = [](float value) { return [value](ModelSpec* s) { s->calibration->temperature = value; }; };
  const std::string verdict = "calibration.verdict.";
  ExpectFaults(
      Calibrated(ValidSpec(ModelKind::kStudent, 1)),
      {{"calibration.temperature: must be in (0, 100], is 0", temperature(0)},
       {"calibration.temperature: must be in (0, 100], is 101", temperature(101)},
       {"calibration.temperature: must be in (0, 100], is nan", temperature(nan)},
       {"calibration.data: must be UTF-8", [](ModelSpec* s) { s->calibration->data = "\xff"; }},
       {verdict + "kind: must be a kind that uncertainty lists, is mutual_information",
        [](ModelSpec* s) { s->calibration->verdict->kind = K::kMutualInformation; }},
       {verdict + "accept_max: must be at least 0, is -0.5",
        [](ModelSpec* s) { s->calibration->verdict->accept_max = -0.5f; }},
       {verdict + "accept_max: must be at least 0, is nan",
        [&](ModelSpec* s) { s->calibration->verdict->accept_max = nan; }},
       {verdict + "review_max: must be in [accept_max, range_max], here [0.25, 1.09861], is 0.125",
        [](ModelSpec* s) { s->calibration->verdict->review_max = 0.125f; }},
       {verdict + "review_max: must be in [accept_max, range_max], here [0.25, 1.09861], is 1.125",
        [](ModelSpec* s) { s->calibration->verdict->review_max = 1.125f; }},
       {verdict + "error_rate: must be in (0, 1), is 0", [](ModelSpec* s) { s->calibration->verdict->error_rate = 0; }},
       {verdict + "reject_error_rate: must be in [error_rate, 1), here [0.05, 1), is 0.04",
        [](ModelSpec* s) { s->calibration->verdict->reject_error_rate = 0.04f; }},
       {verdict + "reject_error_rate: must be in [error_rate, 1), here [0.05, 1), is 1",
        [](ModelSpec* s) { s->calibration->verdict->reject_error_rate = 1; }}});
}

TEST(ValidateModelSpecTest, AVerdictMayUseTheWholeRange) {
  ModelSpec spec = Calibrated(ValidSpec(ModelKind::kStudent, 1));
  Calibration::Verdict& verdict = *spec.calibration->verdict;
  verdict.accept_max = 0;
  verdict.review_max = UncertaintyKindMax(verdict.kind, 3);
  verdict.reject_error_rate = verdict.error_rate;
  spec.calibration->temperature = 100;
  EXPECT_THAT(ValidateModelSpec(spec), IsOk());
  spec.calibration->verdict.reset();
  spec.calibration->reference.reset();
  EXPECT_THAT(ValidateModelSpec(spec), IsOk());
}

TEST(ValidateModelSpecTest, ChecksTheReferenceHistogram) {
  const std::string path = "calibration.reference.";
  ExpectFaults(Calibrated(ValidSpec(ModelKind::kStudent, 1)),
               {{path + "kind: must be a kind that uncertainty lists, is expected_entropy",
                 [](ModelSpec* s) { s->calibration->reference->kind = K::kExpectedEntropy; }},
                {path + "histogram: must have 64 items, has 63",
                 [](ModelSpec* s) { s->calibration->reference->histogram.pop_back(); }},
                {path + "histogram[5]: must be at least 0, is -0.5",
                 [](ModelSpec* s) { s->calibration->reference->histogram[5] = -0.5f; }},
                {path + "histogram[5]: must be at least 0, is nan",
                 [](ModelSpec* s) { s->calibration->reference->histogram[5] = NAN; }},
                {path + "histogram: must add up to 1 within 0.001, adds up to 1.00195",
                 [](ModelSpec* s) { s->calibration->reference->histogram[5] += 1.0f / 512; }}});
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

TEST(ValidateModelSpecTest, OnlyAnEnsembleSharesAnEncoder) {
  ModelSpec spec = ValidSpec(ModelKind::kEnsemble, 3);
  spec.is_encoder_shared = true;
  EXPECT_THAT(ValidateModelSpec(spec), IsOk());
  for (const ModelKind kind : {ModelKind::kSingle, ModelKind::kStudent}) {
    spec = ValidSpec(kind, 1);
    spec.is_encoder_shared = true;
    EXPECT_THAT(ValidateModelSpec(spec), HasStatus(kInvalid, HasSubstr("shared_encoder: must be false for kind ")));
  }
}

TEST(ValidateModelSpecTest, RefusesOneFileForTwoMembers) {
  ModelSpec spec = ValidSpec(ModelKind::kEnsemble, 3);
  spec.weights[2].name = spec.weights[0].name;
  EXPECT_THAT(ValidateModelSpec(spec), HasStatus(kInvalid, HasSubstr("weights[2].file: must be unique")));
}

}  // namespace
}  // namespace candor
