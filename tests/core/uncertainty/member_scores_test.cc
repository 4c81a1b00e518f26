// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/member_scores.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(MemberScoresTest, KeepsOneMembersScoresExactly) {
  const std::vector<float> logits = {1.5f, -2.25f, 1e-8f, 77.0f};  // 2 classes, 1x2
  MemberScores scores;
  scores.Reset(1, 2, 1, 2);
  ASSERT_TRUE(scores.Store(0, {logits.data(), 2, 2, 1}));
  float row[2];
  scores.InterpolateRow(0, 0, 0, 0, row);
  EXPECT_EQ(row[0], 1.5f);
  EXPECT_EQ(row[1], -2.25f);
  scores.InterpolateRow(0, 1, 0, 0, row);
  EXPECT_EQ(row[0], 1e-8f);
  EXPECT_EQ(row[1], 77.0f);
}

TEST(MemberScoresTest, KeepsDifferencesOfSeveralMembersToHalfAStep) {
  MemberScores scores;
  scores.Reset(2, 3, 1, 1);
  const std::vector<float> logits = {-3.7f, 5.1f, 4.9997f};
  ASSERT_TRUE(scores.Store(0, {logits.data(), 1, 1, 1}));
  float value[3];
  for (int c = 0; c < 3; ++c) scores.InterpolateRow(0, c, 0, 0, &value[c]);
  EXPECT_EQ(value[1], 0);
  EXPECT_NEAR(value[0], -8.8f, 1.0 / 4096 + 1e-6);
  EXPECT_NEAR(value[2], -0.1003f, 1.0 / 4096 + 1e-6);
}

TEST(MemberScoresTest, ClampsWhatNoSoftmaxCanSee) {
  MemberScores scores;
  scores.Reset(2, 2, 1, 1);
  const std::vector<float> logits = {0, -500};
  ASSERT_TRUE(scores.Store(1, {logits.data(), 1, 1, 1}));
  float value = 0;
  scores.InterpolateRow(1, 1, 0, 0, &value);
  EXPECT_NEAR(value, -32, 1e-3);
}

TEST(MemberScoresTest, ReadsChannelsLast) {
  // [h=1][w=2][c=2]: strides 1 (class), 4 (row), 2 (column).
  const std::vector<float> logits = {1, 10, 2, 20};
  MemberScores scores;
  scores.Reset(1, 2, 1, 2);
  ASSERT_TRUE(scores.Store(0, {logits.data(), 1, 4, 2}));
  float row[2];
  scores.InterpolateRow(0, 1, 0, 0, row);
  EXPECT_EQ(row[0], 10);
  EXPECT_EQ(row[1], 20);
}

TEST(MemberScoresTest, InterpolatesBetweenRows) {
  const std::vector<float> logits = {0, 8};  // 1 class, 2x1
  MemberScores scores;
  scores.Reset(1, 1, 2, 1);
  ASSERT_TRUE(scores.Store(0, {logits.data(), 2, 1, 1}));
  float value = 0;
  scores.InterpolateRow(0, 0, 0, 0.25f, &value);
  EXPECT_EQ(value, 2);
  scores.InterpolateRow(0, 0, 1, 0, &value);
  EXPECT_EQ(value, 8);
}

TEST(MemberScoresTest, ReportsNonFiniteScores) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (const int members : {1, 2}) {
      MemberScores scores;
      scores.Reset(members, 2, 1, 1);
      const std::vector<float> logits = {0, bad};
      EXPECT_FALSE(scores.Store(0, {logits.data(), 1, 1, 1})) << bad << ", " << members << " members";
    }
  }
}

}  // namespace
}  // namespace candor
