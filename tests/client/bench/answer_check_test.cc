// SPDX-License-Identifier: Apache-2.0
#include "client/bench/answer_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

constexpr double kBound = 0.01;

// 100x200 pixels, all of label 1 and uncertainty 0.5.
SegmentResult Answer() {
  SegmentResult result;
  result.model_digest = "d";
  result.width = 100;
  result.height = 200;
  result.labels = {100, 200, std::vector<uint8_t>(20'000, 1)};
  UncertaintyResult entry;
  entry.figures.kind = "predictive_stddev";
  entry.figures.mean = 0.5F;
  entry.map = {100, 200, std::vector<float>(20'000, 0.5F)};
  result.uncertainty.push_back(entry);
  return result;
}

TEST(CompareWithReferenceTest, AcceptsTwoPixelsOfTwentyThousandButNotThree) {
  SegmentResult answer = Answer();
  answer.labels.values[5] = answer.labels.values[19'999] = 2;
  CheckFigures figures;
  EXPECT_THAT(CompareWithReference(Answer(), answer, kBound, &figures), IsOk());
  EXPECT_DOUBLE_EQ(figures.least_label_agreement, 0.9999);
  answer.labels.values[6] = 0;
  EXPECT_THAT(CompareWithReference(Answer(), answer, kBound, &figures),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("labels agree on 99.985 %")));
}

TEST(CompareWithReferenceTest, BoundsTheUncertaintyOfEveryPixelWithItsLabel) {
  SegmentResult answer = Answer();
  answer.uncertainty[0].map.values[7] = 0.505F;
  CheckFigures figures;
  EXPECT_THAT(CompareWithReference(Answer(), answer, kBound, &figures), IsOk());
  EXPECT_NEAR(figures.greatest_difference, 0.005, 1e-6);
  answer.uncertainty[0].map.values[7] = 0.48F;
  EXPECT_THAT(CompareWithReference(Answer(), answer, kBound, &figures),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("uncertainty differs by 0.02")));
  answer.labels.values[7] = 0;
  EXPECT_THAT(CompareWithReference(Answer(), answer, kBound, &figures), IsOk()) << "the label has turned";
}

TEST(CompareWithReferenceTest, BoundsTheMeanWhereThereIsNoMap) {
  SegmentResult reference = Answer();
  reference.labels.values = {};
  reference.uncertainty[0].map.values = {};
  SegmentResult answer = reference;
  CheckFigures figures;
  EXPECT_THAT(CompareWithReference(reference, answer, kBound, &figures), IsOk());
  answer.uncertainty[0].figures.mean = 0.52F;
  EXPECT_THAT(CompareWithReference(reference, answer, kBound, &figures),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("0.02")));
}

TEST(CompareWithReferenceTest, RefusesAnswersThatAreNotComparable) {
  CheckFigures figures;
  SegmentResult answer = Answer();
  answer.model_digest = "e";
  EXPECT_THAT(CompareWithReference(Answer(), answer, kBound, &figures),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("other weights")));
  answer = Answer();
  answer.width = 99;
  EXPECT_THAT(CompareWithReference(Answer(), answer, kBound, &figures),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("99x200, alone it was 100x200")));
  answer = Answer();
  answer.uncertainty[0].map.values = {};
  EXPECT_THAT(CompareWithReference(Answer(), answer, kBound, &figures),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("other parts")));
}

TEST(AnswerCheckTest, CountsMismatchesAndNamesTheFirst) {
  SegmentResult turned = Answer();
  for (size_t i = 0; i < 10'000; ++i) turned.labels.values[i] = 0;
  AnswerCheck check({Answer(), turned}, {"a.png", "b.png"}, kBound);
  check.Compare(0, Answer());
  check.Compare(1, turned);
  EXPECT_EQ(check.figures().mismatches, 0);
  check.Compare(1, Answer());
  check.Compare(0, turned);
  const CheckFigures figures = check.figures();
  EXPECT_EQ(figures.compared, 4);
  EXPECT_EQ(figures.mismatches, 2);
  EXPECT_DOUBLE_EQ(figures.least_label_agreement, 0.5);
  EXPECT_THAT(figures.first_mismatch, HasSubstr("b.png: labels agree on 50.000 %"));
}

}  // namespace
}  // namespace candor
