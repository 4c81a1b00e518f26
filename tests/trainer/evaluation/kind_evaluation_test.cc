// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/kind_evaluation.h"

#include "gtest/gtest.h"

namespace candor {
namespace {

struct TwoPixels {
  std::vector<uint8_t> truth = {0, 1};
  std::vector<uint8_t> labels = {0, 0};
  std::vector<PixelOutcome> outcomes = {PixelOutcome::kCorrect, PixelOutcome::kWrong};
  std::vector<uint8_t> unknown = {0, 1};
  PixelMaps maps(bool with_mask) const {
    return {2, truth, labels, outcomes, with_mask ? absl::MakeConstSpan(unknown) : absl::Span<const uint8_t>()};
  }
};

TEST(KindEvaluationTest, UnknownFiguresNeedAMask) {
  const TwoPixels pixels;
  KindEvaluation evaluation(UncertaintyKind::kMargin, 2, {});
  evaluation.AddPicture(std::vector<float>{0.1f, 0.9f}, pixels.maps(false));
  EXPECT_FALSE(evaluation.Figures().unknown.has_value());
  evaluation.AddPicture(std::vector<float>{0.1f, 0.9f}, pixels.maps(true));
  ASSERT_TRUE(evaluation.Figures().unknown.has_value());
  EXPECT_EQ(evaluation.Figures().unknown->positives, 1);
  EXPECT_DOUBLE_EQ(evaluation.Figures().unknown->auroc, 1);
}

TEST(KindEvaluationTest, MergeTakesOverTheOthersMasks) {
  const TwoPixels pixels;
  KindEvaluation first(UncertaintyKind::kMargin, 2, {});
  first.AddPicture(std::vector<float>{0.1f, 0.9f}, pixels.maps(false));
  KindEvaluation second(UncertaintyKind::kMargin, 2, {});
  second.AddPicture(std::vector<float>{0.1f, 0.9f}, pixels.maps(true));
  first.Merge(second);
  ASSERT_TRUE(first.Figures().unknown.has_value());
  EXPECT_EQ(first.Figures().unknown->positives, 1);
  EXPECT_EQ(first.Figures().errors.positives, 2);
}

TEST(KindEvaluationTest, FiguresOfOneSplit) {
  const TwoPixels pixels;
  KindEvaluation evaluation(UncertaintyKind::kMargin, 2, {0.5});
  evaluation.AddPicture(std::vector<float>{0.25f, 0.75f}, pixels.maps(false));
  const KindFigures figures = evaluation.Figures();
  EXPECT_EQ(figures.kind, UncertaintyKind::kMargin);
  EXPECT_DOUBLE_EQ(figures.mean, 0.5);
  EXPECT_DOUBLE_EQ(figures.errors.auroc, 1);
  EXPECT_DOUBLE_EQ(figures.rejection.accuracy[0], 0.5);
  EXPECT_EQ(figures.accuracy_versus_uncertainty.size(), 3u);
  EXPECT_EQ(figures.histogram.size(), 64u);
  EXPECT_DOUBLE_EQ(figures.histogram[16], 0.5);
}

}  // namespace
}  // namespace candor
