// SPDX-License-Identifier: Apache-2.0
#include "client/cli/comparison_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

SegmentResult Answer(std::vector<uint8_t> labels, std::vector<float> map, double round_trip_ms, float infer_ms) {
  const int width = static_cast<int>(labels.size());
  SegmentResult result;
  result.width = width;
  result.height = 1;
  result.labels = {width, 1, std::move(labels)};
  result.uncertainty = {{{"margin"}, {}}, {{"max_probability"}, {width, 1, std::move(map)}}};
  result.server_times.infer_ms = infer_ms;
  result.round_trip_ms = round_trip_ms;
  return result;
}

Comparison Compare(const SegmentResult& student, const SegmentResult& teacher) {
  Comparison comparison = *CompareAnswers(student, teacher, "max_probability");
  comparison.picture = "a.png";
  return comparison;
}

TEST(CompareAnswersTest, MatchesHandComputation) {
  const Comparison c = Compare(Answer({0, 1, 2}, {1, 2, 3}, 20, 4), Answer({0, 1, 1}, {2, 6, 4}, 50, 40));
  EXPECT_EQ(c.equal_labels, 2);
  EXPECT_EQ(c.moments.count(), 3);
  EXPECT_NEAR(*c.moments.Correlation(), 0.5, 1e-12);
  EXPECT_NEAR(*c.spearman, 0.5, 1e-12);  // ranks 1 2 3 and 1 3 2: 1 - 6 * 2 / 24
  EXPECT_DOUBLE_EQ(*c.round_trip.SpeedRatio(), 2.5);
  EXPECT_DOUBLE_EQ(*c.infer.SpeedRatio(), 10);
}

TEST(CompareAnswersTest, RefusesMapsOfTwoSizes) {
  EXPECT_THAT(CompareAnswers(Answer({0, 1}, {1, 2}, 1, 1), Answer({0}, {1}, 1, 1), "max_probability"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("got 2x1 and 1x1")));
}

TEST(OverallTest, PoolsPixelsAndTakesMediansOfTimes) {
  const Comparison all = Overall({Compare(Answer({0}, {1}, 10, 1), Answer({0}, {2}, 40, 9)),
                                  Compare(Answer({5, 5}, {2, 3}, 20, 2), Answer({5, 4}, {6, 4}, 60, 5)),
                                  Compare(Answer({7}, {2}, 90, 3), Answer({7}, {4}, 50, 7))});
  EXPECT_EQ(all.pictures, 3);
  EXPECT_EQ(all.moments.count(), 4);
  EXPECT_EQ(all.equal_labels, 3);
  // Pairs (1,2) (2,6) (3,4) (2,4): distances -1 0 1 0 and -2 2 0 0, so 2 / sqrt(2 * 8).
  EXPECT_NEAR(*all.moments.Correlation(), 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(*all.spearman, -1);  // only the second picture has one
  EXPECT_DOUBLE_EQ(all.round_trip.student, 20);
  EXPECT_DOUBLE_EQ(all.round_trip.teacher, 50);
  EXPECT_DOUBLE_EQ(all.infer.student, 2);
  EXPECT_DOUBLE_EQ(all.infer.teacher, 7);
}

TEST(ComparisonJsonTest, HasNullForWhatDoesNotExist) {
  const Comparison flat = Compare(Answer({0, 1}, {1, 1}, 1, 0), Answer({0, 1}, {1, 2}, 1, 1));
  const nlohmann::ordered_json json = ComparisonJson(flat, {"s", "t", {"max_probability", "probability", 1}});
  EXPECT_TRUE(json["pearson"].is_null());
  EXPECT_TRUE(json["spearman"].is_null());
  EXPECT_TRUE(json["speed_ratio"]["infer"].is_null());
  EXPECT_EQ(json["speed_ratio"]["round_trip"], 1);
  EXPECT_EQ(json["label_agreement"], 1);
}

TEST(PrintComparisonsTest, AddsTheOverallRowForMoreThanOnePicture) {
  const Comparison one = Compare(Answer({0, 1}, {1, 1}, 1, 0), Answer({0, 1}, {1, 2}, 1, 1));
  const ComparedModels models = {"s", "t", {"max_probability", "probability", 1}};
  std::ostringstream single;
  PrintComparisons({one}, models, single);
  EXPECT_THAT(single.str(), testing::Not(HasSubstr("overall")));
  EXPECT_THAT(single.str(), HasSubstr("100.00%"));
  std::ostringstream both;
  PrintComparisons({one, one}, models, both);
  EXPECT_THAT(both.str(), HasSubstr("overall"));
}

}  // namespace
}  // namespace candor
