// SPDX-License-Identifier: Apache-2.0
#include "core/model/uncertainty_kind.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(UncertaintyKindTest, EveryNameParsesToItsKind) {
  for (UncertaintyKind kind : kAllUncertaintyKinds) {
    const auto parsed = ParseUncertaintyKind(UncertaintyKindName(kind));
    ASSERT_THAT(parsed, IsOk());
    EXPECT_EQ(*parsed, kind);
  }
  EXPECT_EQ(UncertaintyKindName(UncertaintyKind::kMutualInformation), "mutual_information");
  EXPECT_EQ(UncertaintyKindName(UncertaintyKind::kDisagreement), "disagreement");
}

TEST(UncertaintyKindTest, AnUnknownNameIsRefusedWithAllKinds) {
  EXPECT_THAT(ParseUncertaintyKind("entropy\n"),
              HasStatus(absl::StatusCode::kInvalidArgument,
                        AllOf(HasSubstr("\"entropy\\n\""), HasSubstr("predictive_stddev"), HasSubstr("margin"))));
}

TEST(UncertaintyKindTest, EntropiesAreInNatsUpToTheLogarithmOfTheClassCount) {
  for (UncertaintyKind kind :
       {UncertaintyKind::kPredictiveEntropy, UncertaintyKind::kExpectedEntropy, UncertaintyKind::kMutualInformation}) {
    EXPECT_EQ(UncertaintyKindUnit(kind), "nats");
    EXPECT_NEAR(UncertaintyKindMax(kind, 11), 2.3978953, 1e-6);
  }
}

TEST(UncertaintyKindTest, ProbabilitiesEndAtOne) {
  for (UncertaintyKind kind : {UncertaintyKind::kPredictiveStddev, UncertaintyKind::kMaxProbability,
                               UncertaintyKind::kMargin, UncertaintyKind::kDisagreement}) {
    EXPECT_EQ(UncertaintyKindUnit(kind), "probability");
    EXPECT_EQ(UncertaintyKindMax(kind, 11), 1.0f);
  }
}

}  // namespace
}  // namespace candor
