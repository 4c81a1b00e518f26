// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/fused_reduction.h"

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/float16.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/uncertainty/reference_reduction.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

constexpr UncertaintyKind kStddev = UncertaintyKind::kPredictiveStddev;
constexpr UncertaintyKind kEntropy = UncertaintyKind::kPredictiveEntropy;
constexpr UncertaintyKind kExpected = UncertaintyKind::kExpectedEntropy;
constexpr UncertaintyKind kMutual = UncertaintyKind::kMutualInformation;
constexpr UncertaintyKind kMaximum = UncertaintyKind::kMaxProbability;
constexpr UncertaintyKind kMarginKind = UncertaintyKind::kMargin;
constexpr UncertaintyKind kDisagreement = UncertaintyKind::kDisagreement;

MemberScores Store(const ScoreGrid& grid) {
  MemberScores scores;
  scores.Reset(grid.members, grid.classes, grid.height, grid.width);
  const int64_t plane = static_cast<int64_t>(grid.height) * grid.width;
  for (int m = 0; m < grid.members; ++m) {
    EXPECT_TRUE(scores.Store(m, {grid.values.data() + m * grid.classes * plane, plane, grid.width, 1}));
  }
  return scores;
}

std::vector<KindRequest> MapsOf(const std::vector<UncertaintyKind>& kinds) {
  std::vector<KindRequest> requests;
  for (const UncertaintyKind kind : kinds) requests.push_back({kind, true, 0.1f});
  return requests;
}

Segmentation Reduce(const ScoreGrid& grid, int height, int width, const std::vector<UncertaintyKind>& kinds,
                    const ScoreGrid* learned = nullptr, const std::vector<UncertaintyKind>& learned_kinds = {kStddev}) {
  const MemberScores scores = Store(grid);
  MemberScores learned_scores;
  if (learned != nullptr) learned_scores = Store(*learned);
  const std::vector<KindRequest> requests = MapsOf(kinds);
  FusedReduction reduction(scores, {learned != nullptr ? &learned_scores : nullptr, learned_kinds},
                           {0, 0, width, height}, {requests, /*want_probabilities=*/true});
  reduction.Rows(0, height);
  return *reduction.Finish();
}

// One location with the given class scores per member: every upsampled pixel has them too.
ScoreGrid Constant(const std::vector<std::vector<float>>& members) {
  ScoreGrid grid{static_cast<int>(members.size()), static_cast<int>(members[0].size()), 4, 4, {}};
  for (const auto& classes : members) {
    for (const float score : classes) grid.values.insert(grid.values.end(), 16, score);
  }
  return grid;
}

struct Shape {
  int members, classes, height, width;
};

class AgainstReferenceTest : public testing::TestWithParam<Shape> {};

TEST_P(AgainstReferenceTest, EveryKindAgreesEverywhere) {
  const auto [members, classes, low_height, low_width] = GetParam();
  const ScoreGrid grid = RandomScores(members, classes, low_height, low_width, 3.0, 17);
  const int height = 4 * low_height - 3;  // cropped
  const int width = 4 * low_width - 5;
  std::vector<UncertaintyKind> kinds = {kEntropy, kExpected, kMutual, kMaximum, kMarginKind};
  if (members > 1) kinds.insert(kinds.end(), {kStddev, kDisagreement});
  const Segmentation result = Reduce(grid, height, width, kinds);
  // Rounding to 1/2048 moves a probability by at most 1.3e-4 and an entropy by a little more.
  const double tolerance = members > 1 ? 5e-4 : 2e-6 * classes;
  int unclear = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const ReferencePixel want = ReferenceReduce(grid, y, x);
      const int index = y * width + x;
      for (int c = 0; c < classes; ++c) {
        ASSERT_NEAR(result.probabilities[c * height * width + index], want.probabilities[c], tolerance)
            << "class " << c << " at " << y << ", " << x;
      }
      if (want.lead < tolerance) {
        ++unclear;
        continue;
      }
      ASSERT_EQ(result.labels[index], want.label) << y << ", " << x;
      for (size_t k = 0; k < kinds.size(); ++k) {
        // Where a member's own label is unclear, its vote is.
        if (kinds[k] == kDisagreement && want.least_member_lead < tolerance) continue;
        ASSERT_NEAR(result.kinds[k].map[index], want.kinds[static_cast<int>(kinds[k])], tolerance)
            << UncertaintyKindName(kinds[k]) << " at " << y << ", " << x;
      }
    }
  }
  EXPECT_LE(unclear, height * width / 50);
}

INSTANTIATE_TEST_SUITE_P(Shapes, AgainstReferenceTest,
                         testing::Values(Shape{1, 2, 4, 4}, Shape{1, 11, 5, 9}, Shape{2, 3, 4, 23},
                                         Shape{10, 11, 9, 12}, Shape{3, 255, 4, 4}));

TEST(FusedReductionTest, UniformScoresHaveTheLargestEntropy) {
  const Segmentation result = Reduce(Constant({{1, 1, 1, 1}}), 16, 16, {kEntropy, kMaximum, kMarginKind});
  EXPECT_NEAR(result.kinds[0].map[37], std::log(4.0), 1e-6);
  EXPECT_NEAR(result.kinds[1].map[37], 0.75, 1e-6);
  EXPECT_NEAR(result.kinds[2].map[37], 1.0, 1e-6);
  EXPECT_EQ(result.labels[37], 0);  // of equal classes the first
}

TEST(FusedReductionTest, StddevIsTheSampleDeviationAtTheLabel) {
  // Softmax of (ln 8, ln 2), (ln 6, ln 4), (ln 7, ln 3): p_m of class 0 is .8, .6, .7; mean .7; deviations .1, -.1, 0;
  // sum of squares .02, over M - 1 = 2: .01, root .1.
  const auto l = [](double value) { return static_cast<float>(std::log(value)); };
  const Segmentation result =
      Reduce(Constant({{l(8), l(2)}, {l(6), l(4)}, {l(7), l(3)}}), 16, 16, {kStddev, kMaximum, kMarginKind});
  EXPECT_EQ(result.labels[0], 0);
  EXPECT_NEAR(result.kinds[0].map[0], 0.1, 1e-4);
  EXPECT_NEAR(result.kinds[1].map[0], 0.3, 1e-4);
  EXPECT_NEAR(result.kinds[2].map[0], 0.6, 1e-4);
}

TEST(FusedReductionTest, DisagreeingCertainMembersAreAllMutualInformation) {
  // Two members, each sure of another class: p = (1/2, 1/2), H[p] = ln 2, H[p_m] = 0; p_m of class 0 is 1 and 0: the
  // sample deviation is 1/sqrt(2), the largest an ensemble can have.
  const Segmentation result = Reduce(Constant({{30, 0}, {0, 30}}), 16, 16, {kStddev, kEntropy, kExpected, kMutual});
  EXPECT_NEAR(result.kinds[0].map[5], std::sqrt(0.5), 1e-5);
  EXPECT_NEAR(result.kinds[1].map[5], std::log(2.0), 1e-5);
  EXPECT_NEAR(result.kinds[2].map[5], 0, 1e-5);
  EXPECT_NEAR(result.kinds[3].map[5], std::log(2.0), 1e-5);
}

TEST(FusedReductionTest, EqualMembersHaveNoMutualInformationAndNoDeviation) {
  const ScoreGrid one = RandomScores(1, 5, 6, 6, 2.0, 3);
  ScoreGrid ten{10, 5, 6, 6, {}};
  for (int m = 0; m < 10; ++m) ten.values.insert(ten.values.end(), one.values.begin(), one.values.end());
  const Segmentation result = Reduce(ten, 24, 24, {kStddev, kMutual});
  EXPECT_LT(result.kinds[0].statistics.max, 1e-6);
  EXPECT_LT(result.kinds[1].statistics.max, 1e-6);
}

TEST(FusedReductionTest, TwoEqualMembersHaveNoDeviationAtAll) {
  // Not even a rounding error: the first member's deviation from itself is 0 only if products are rounded before they
  // are subtracted, and a sum of squares below 0 would become NaN.
  const ScoreGrid one = RandomScores(1, 11, 64, 64, 3.0, 31);
  ScoreGrid two{2, 11, 64, 64, one.values};
  two.values.insert(two.values.end(), one.values.begin(), one.values.end());
  EXPECT_EQ(Reduce(two, 256, 256, {kStddev}).kinds[0].statistics.max, 0);
}

TEST(FusedReductionTest, StudentsStddevIsTheSigmoidOfTheUpsampledScore) {
  // Sigmoid after upsampling: between -4 and 4 the middle is sigmoid(0) = 1/2, which the mean of the sigmoids is too;
  // so take a lopsided pair, where order matters.
  const ScoreGrid scores = RandomScores(1, 3, 4, 4, 1.0, 5);
  ScoreGrid learned = RandomScores(1, 1, 4, 4, 4.0, 6);
  const Segmentation result = Reduce(scores, 16, 16, {kStddev}, &learned);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      const double want = 1 / (1 + std::exp(-ReferenceSample(learned, 0, 0, y, x)));
      ASSERT_NEAR(result.kinds[0].map[y * 16 + x], want, 2e-6) << y << ", " << x;
    }
  }
}

TEST(FusedReductionTest, DisagreementIsTheShareOfPairsWithDifferentLabels) {
  // Votes 3, 1, 1 of five members: of 10 pairs, 3 agree.
  const std::vector<std::vector<float>> members = {{2, 1, 0}, {0, 1, 0}, {3, 2, 1}, {1, 0, 0}, {0, 0, 5}};
  EXPECT_NEAR(Reduce(Constant(members), 16, 16, {kDisagreement}).kinds[0].map[9], 0.7, 1e-6);
  EXPECT_EQ(Reduce(Constant({{0, 1}, {1, 0}}), 16, 16, {kDisagreement}).kinds[0].map[9], 1.0f);
  const std::vector<std::vector<float>> same(7, {0, 1, 0.5});
  EXPECT_EQ(Reduce(Constant(same), 16, 16, {kDisagreement}).kinds[0].statistics.max, 0.0f);
}

TEST(FusedReductionTest, OfEqualScoresAMemberVotesForTheFirst) {
  EXPECT_EQ(Reduce(Constant({{1, 1}, {2, 0}}), 16, 16, {kDisagreement}).kinds[0].map[0], 0.0f);
  EXPECT_EQ(Reduce(Constant({{1, 1}, {0, 2}}), 16, 16, {kDisagreement}).kinds[0].map[0], 1.0f);
}

TEST(FusedReductionTest, EachLearnedKindIsItsChannelOverItsRange) {
  // A learned entropy and mutual information replace the computed ones; the margin is still the softmax's.
  const ScoreGrid scores = RandomScores(1, 5, 4, 4, 1.0, 5);
  const ScoreGrid learned = RandomScores(1, 2, 4, 4, 4.0, 6);
  const std::vector<UncertaintyKind> learned_kinds = {kMutual, kEntropy};
  const Segmentation result = Reduce(scores, 16, 16, {kEntropy, kMarginKind, kMutual}, &learned, learned_kinds);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      const auto want = [&](int channel) {
        return std::log(5.0) / (1 + std::exp(-ReferenceSample(learned, 0, channel, y, x)));
      };
      const int index = y * 16 + x;
      ASSERT_NEAR(result.kinds[0].map[index], want(1), 4e-6) << y << ", " << x;
      ASSERT_NEAR(result.kinds[2].map[index], want(0), 4e-6) << y << ", " << x;
      ASSERT_NEAR(result.kinds[1].map[index],
                  ReferenceReduce(scores, y, x).kinds[static_cast<int>(UncertaintyKind::kMargin)], 1e-5);
    }
  }
}

TEST(FusedReductionTest, OfAChannelAClassTheLabelsCounts) {
  const ScoreGrid scores = RandomScores(1, 5, 4, 6, 2.0, 5);
  const ScoreGrid learned = RandomScores(1, 5, 4, 6, 4.0, 6);
  const MemberScores class_scores = Store(scores);
  const MemberScores learned_scores = Store(learned);
  const std::vector<KindRequest> requests = MapsOf({kMarginKind, kStddev});
  const std::vector<UncertaintyKind> kinds = {kStddev};
  FusedReduction reduction(class_scores, {&learned_scores, kinds, /*is_per_class=*/true}, {0, 0, 24, 16}, {requests});
  reduction.Rows(0, 16);
  const Segmentation result = *reduction.Finish();
  std::set<int> labels;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x) {
      const ReferencePixel pixel = ReferenceReduce(scores, y, x);
      if (pixel.lead < 1e-5) continue;
      labels.insert(pixel.label);
      const double want = 1 / (1 + std::exp(-ReferenceSample(learned, 0, pixel.label, y, x)));
      ASSERT_NEAR(result.kinds[1].map[y * 24 + x], want, 4e-6) << y << ", " << x;
    }
  }
  EXPECT_EQ(labels.size(), 5);
}

// Without probabilities asked for, a student of learned kinds needs no softmax.
Segmentation ReduceLearnedOnly(const ScoreGrid& grid, const ScoreGrid& learned) {
  const MemberScores scores = Store(grid);
  const MemberScores learned_scores = Store(learned);
  const std::vector<KindRequest> requests = MapsOf({kStddev});
  const std::vector<UncertaintyKind> kinds = {kStddev};
  FusedReduction reduction(scores, {&learned_scores, kinds}, {0, 0, 4 * grid.width, 4 * grid.height}, {requests});
  reduction.Rows(0, 4 * grid.height);
  return *reduction.Finish();
}

TEST(FusedReductionTest, LabelsAreTheSameWithoutTheSoftmax) {
  const ScoreGrid scores = RandomScores(1, 7, 5, 6, 8.0, 11);
  const ScoreGrid learned = RandomScores(1, 1, 5, 6, 4.0, 12);
  const Segmentation result = ReduceLearnedOnly(scores, learned);
  const Segmentation with_softmax = Reduce(scores, 20, 24, {kStddev}, &learned);
  EXPECT_EQ(result.kinds[0].map, with_softmax.kinds[0].map);
  std::set<int> labels;
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 24; ++x) {
      const ReferencePixel pixel = ReferenceReduce(scores, y, x);
      if (pixel.lead < 1e-5) continue;
      labels.insert(pixel.label);
      ASSERT_EQ(result.labels[y * 24 + x], pixel.label) << y << ", " << x;
    }
  }
  EXPECT_EQ(labels.size(), 7);
}

TEST(FusedReductionTest, OfEqualScoresTheFirstIsTheLabel) {
  const ScoreGrid learned = Constant({{0.5}});
  EXPECT_EQ(ReduceLearnedOnly(Constant({{-9, -4, -4, -5}}), learned).labels[7], 1);
  EXPECT_EQ(Reduce(Constant({{-9, -4, -4, -5}}), 16, 16, {kStddev}, &learned).labels[7], 1);
}

TEST(FusedReductionTest, FiguresMatchTheMap) {
  const ScoreGrid grid = RandomScores(2, 4, 8, 8, 2.0, 9);
  const Segmentation result = Reduce(grid, 30, 31, {kMaximum});
  const auto& map = result.kinds[0].map;
  double sum = 0;
  int above = 0;
  std::vector<int64_t> pixels(4);
  std::vector<double> class_sum(4);
  for (size_t i = 0; i < map.size(); ++i) {
    sum += map[i];
    above += map[i] > 0.1f;
    ++pixels[result.labels[i]];
    class_sum[result.labels[i]] += map[i];
  }
  const KindStatistics& figures = result.kinds[0].statistics;
  EXPECT_NEAR(figures.mean, sum / map.size(), 1e-6);
  EXPECT_FLOAT_EQ(figures.share_above_threshold, static_cast<float>(above) / map.size());
  for (int c = 0; c < 4; ++c) {
    EXPECT_EQ(result.classes[c].pixels, pixels[c]);
    EXPECT_NEAR(result.classes[c].uncertainty_sum, class_sum[c], 1e-4);
  }
}

TEST(FusedReductionTest, MapsComeOnlyWhereAskedFor) {
  const MemberScores scores = Store(RandomScores(1, 3, 4, 4, 1.0, 1));
  const std::vector<KindRequest> kinds = {{kEntropy, false, 0.1f}, {kMaximum, true, 0.1f}};
  FusedReduction reduction(scores, {}, {0, 0, 16, 16}, {kinds});
  reduction.Rows(0, 16);
  const Segmentation result = *reduction.Finish();
  EXPECT_TRUE(result.kinds[0].map.empty());
  EXPECT_TRUE(result.probabilities.empty());
  EXPECT_GT(result.kinds[0].statistics.mean, 0);
  EXPECT_EQ(result.kinds[1].map.size(), 256);
}

TEST(FusedReductionTest, AMapOfHalvesIsTheMapRounded) {
  const MemberScores scores = Store(RandomScores(3, 5, 4, 4, 1.0, 8));
  std::vector<KindRequest> kinds = {{kEntropy, true}, {kStddev, true}};
  FusedReduction floats(scores, {}, {1, 0, 13, 16}, {kinds});
  floats.Rows(0, 16);
  kinds[1].as_halves = true;
  FusedReduction halves(scores, {}, {1, 0, 13, 16}, {kinds});
  halves.Rows(0, 16);
  const Segmentation want = *floats.Finish();
  const Segmentation got = *halves.Finish();
  EXPECT_EQ(got.kinds[0].map, want.kinds[0].map);
  EXPECT_TRUE(got.kinds[0].halves.empty());
  EXPECT_TRUE(got.kinds[1].map.empty());
  ASSERT_EQ(got.kinds[1].halves.size(), 13U * 16);
  for (size_t i = 0; i < 13 * 16; ++i) ASSERT_EQ(got.kinds[1].halves[i], FloatToHalf(want.kinds[1].map[i])) << i;
  EXPECT_EQ(got.kinds[1].statistics.mean, want.kinds[1].statistics.mean);
}

TEST(FusedReductionTest, ThreadsGiveTheSameAnswerAsOne) {
  const ScoreGrid grid = RandomScores(3, 6, 16, 16, 2.0, 21);
  const MemberScores scores = Store(grid);
  const std::vector<KindRequest> kinds = MapsOf({kStddev, kEntropy});
  FusedReduction reduction(scores, {}, {0, 0, 64, 64}, {kinds});
  std::vector<std::thread> threads;
  for (int begin = 0; begin < 64; begin += 16) {
    threads.emplace_back([&reduction, begin] { reduction.Rows(begin, begin + 16); });
  }
  for (std::thread& thread : threads) thread.join();
  const Segmentation parallel = *reduction.Finish();
  const Segmentation serial = Reduce(grid, 64, 64, {kStddev, kEntropy});
  EXPECT_EQ(parallel.labels, serial.labels);
  EXPECT_EQ(parallel.kinds[0].map, serial.kinds[0].map);
  EXPECT_EQ(parallel.kinds[1].statistics.median, serial.kinds[1].statistics.median);
  EXPECT_FLOAT_EQ(parallel.kinds[1].statistics.mean, serial.kinds[1].statistics.mean);
}

TEST(FusedReductionTest, ARegionHasThePixelsOfTheWholePicture) {
  const ScoreGrid grid = RandomScores(3, 6, 12, 16, 2.0, 22);
  const Segmentation whole = Reduce(grid, 45, 61, {kStddev, kEntropy});
  const MemberScores scores = Store(grid);
  const std::vector<KindRequest> kinds = MapsOf({kStddev, kEntropy});
  const Region region = {7, 11, 23, 9};
  FusedReduction reduction(scores, {}, region, {kinds, /*want_probabilities=*/true});
  ASSERT_EQ(reduction.rows(), 9);
  reduction.Rows(0, 9);
  const Segmentation part = *reduction.Finish();
  ASSERT_EQ(part.width, 23);
  ASSERT_EQ(part.height, 9);
  int64_t counted = 0;
  for (const ClassTally& tally : part.classes) counted += tally.pixels;
  EXPECT_EQ(counted, 23 * 9);
  double sum = 0;
  for (int y = 0; y < 9; ++y) {
    for (int x = 0; x < 23; ++x) {
      const int here = y * 23 + x;
      const int there = (y + 11) * 61 + x + 7;
      ASSERT_EQ(part.labels[here], whole.labels[there]);
      ASSERT_NEAR(part.kinds[0].map[here], whole.kinds[0].map[there], 1e-6);
      ASSERT_NEAR(part.probabilities[5 * 23 * 9 + here], whole.probabilities[5 * 45 * 61 + there], 1e-6);
      sum += whole.kinds[1].map[there];
    }
  }
  EXPECT_NEAR(part.kinds[1].statistics.mean, sum / (23 * 9), 1e-5);
}

TEST(FusedReductionTest, ANonFiniteValueIsAnInternalError) {
  // Finite scores whose difference overflows.
  const MemberScores scores = Store(Constant({{3e38f, -3e38f, 0}}));
  const std::vector<KindRequest> kinds = {{kExpected, false, 0.1f}};
  FusedReduction reduction(scores, {}, {0, 0, 16, 16}, {kinds});
  reduction.Rows(0, 16);
  EXPECT_THAT(reduction.Finish(),
              HasStatus(absl::StatusCode::kInternal, testing::HasSubstr("NON_FINITE_OUTPUT: expected_entropy")));
}

TEST(UpsampleTableTest, MapsCornersToCorners) {
  const UpsampleTable table(5, 0, 20);
  EXPECT_EQ(table.index[0], 0);
  EXPECT_EQ(table.fraction[0], 0);
  EXPECT_NEAR(table.index[19] + table.fraction[19], 4.0, 1e-5);
  EXPECT_NEAR(table.index[1] + table.fraction[1], 4.0 / 19, 1e-6);
  EXPECT_EQ(table.index.size() % 16, 0);
}

TEST(UpsampleTableTest, MayStartAnywhere) {
  const UpsampleTable whole(5, 0, 20);
  const UpsampleTable part(5, 13, 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(part.index[i], whole.index[13 + i]);
    EXPECT_EQ(part.fraction[i], whole.fraction[13 + i]);
  }
}

}  // namespace
}  // namespace candor
