// SPDX-License-Identifier: Apache-2.0
//
// Specs of students that learn a distribution, or a deviation a class.
#include <functional>
#include <string>
#include <vector>

#include "core/model/model_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using K = UncertaintyKind;

ModelSpec DistributionSpec(SamplingMethod method) {
  ModelSpec spec = ValidSpec(ModelKind::kStudent, 1);
  spec.learned = {};
  spec.sampling.method = method;
  if (method == SamplingMethod::kLogitSamples) {
    spec.sampling.passes = 12;
    spec.sampling.rank = 3;
  }
  spec.uncertainty = UncertaintyKindsOf(spec);
  return spec;
}

ModelSpec DenseSpec() {
  ModelSpec spec = ValidSpec(ModelKind::kStudent, 1);
  spec.head = UncertaintyHead::kPerClass;
  return spec;
}

TEST(StudentSpecTest, JsonGivesBackWhatItWasGiven) {
  for (const ModelSpec& spec :
       {DistributionSpec(SamplingMethod::kDirichlet), DistributionSpec(SamplingMethod::kLogitSamples), DenseSpec()}) {
    ASSERT_THAT(ValidateModelSpec(spec), IsOk());
    const auto read = ModelSpecFromJson(ModelSpecToJson(spec));
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ(read->sampling.method, spec.sampling.method);
    EXPECT_EQ(read->sampling.passes, spec.sampling.passes);
    EXPECT_EQ(read->sampling.rank, spec.sampling.rank);
    EXPECT_EQ(read->head, spec.head);
    EXPECT_EQ(read->learned, spec.learned);
    EXPECT_EQ(read->uncertainty, spec.uncertainty);
  }
}

TEST(StudentSpecTest, KindsAreThoseTheirDistributionGives) {
  const ModelSpec dirichlet = DistributionSpec(SamplingMethod::kDirichlet);
  EXPECT_EQ(PredictionCount(dirichlet), 1);
  EXPECT_EQ(dirichlet.default_kind(), K::kPredictiveStddev);
  EXPECT_THAT(dirichlet.uncertainty, Contains(K::kMutualInformation));
  EXPECT_THAT(dirichlet.uncertainty, Not(Contains(K::kDisagreement)));
  const ModelSpec gaussian = DistributionSpec(SamplingMethod::kLogitSamples);
  EXPECT_EQ(PredictionCount(gaussian), 12);
  EXPECT_THAT(gaussian.uncertainty, Contains(K::kDisagreement));
  EXPECT_THAT(DenseSpec().uncertainty,
              ElementsAre(K::kPredictiveStddev, K::kPredictiveEntropy, K::kMaxProbability, K::kMargin));
}

TEST(StudentSpecTest, FaultsAreNamed) {
  const auto expect_fault = [](ModelSpec spec, const std::string& message,
                               const std::function<void(ModelSpec*)>& damage) {
    damage(&spec);
    EXPECT_THAT(ValidateModelSpec(spec), HasStatus(StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  const ModelSpec gaussian = DistributionSpec(SamplingMethod::kLogitSamples);
  expect_fault(gaussian, "sampling.rank: must be in [0, 16], is 17", [](ModelSpec* s) { s->sampling.rank = 17; });
  expect_fault(gaussian, "sampling.passes: must be in [2, 128], is 1", [](ModelSpec* s) { s->sampling.passes = 1; });
  expect_fault(gaussian, "learned: must be empty for kind student with sampling, has 1",
               [](ModelSpec* s) { s->learned = {K::kPredictiveStddev}; });
  expect_fault(DistributionSpec(SamplingMethod::kDirichlet), "sampling.method: dirichlet is for kind student",
               [](ModelSpec* s) { s->kind = ModelKind::kSingle; });
  expect_fault(DenseSpec(), "learned: must be predictive_stddev alone for head per_class",
               [](ModelSpec* s) { s->learned = {K::kPredictiveEntropy}; });
  expect_fault(DenseSpec(), "head: per_class is for kind student", [](ModelSpec* s) { s->kind = ModelKind::kSingle; });
}

}  // namespace
}  // namespace candor
