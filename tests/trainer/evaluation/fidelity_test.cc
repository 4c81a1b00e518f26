// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/fidelity.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/evaluation/golden_figures.h"
#include "tests/trainer/evaluation/synthetic_split.h"
#include "trainer/evaluation/confusion.h"

namespace candor {
namespace {

using testing::HasSubstr;

// DUDES, table 2: class-wise uncertainty of teacher and student, road to bicycle.
const std::vector<double> kTeacher = {.024, .064, .038, .150, .165, .100, .142, .102, .025, .101,
                                      .031, .109, .120, .043, .175, .163, .195, .158, .108};
const std::vector<double> kStudent = {.018, .065, .035, .144, .160, .128, .112, .097, .027, .126,
                                      .025, .117, .105, .038, .200, .144, .171, .190, .150};

TEST(CompareClassesTest, ReproducesTheMeansOfThePapersTable2) {
  EXPECT_NEAR(MeanOfPresent(kTeacher), .106, 0.0005);
  EXPECT_NEAR(MeanOfPresent(kStudent), .108, 0.0005);
  const ClassDifferences classes = CompareClasses(kTeacher, kStudent);
  EXPECT_NEAR(classes.mean_absolute, 0.0151, 0.00005);
  EXPECT_NEAR(classes.mean_signed, MeanOfPresent(kTeacher) - MeanOfPresent(kStudent), 1e-12);
  EXPECT_EQ(classes.within_001, 10);
  EXPECT_EQ(classes.within_003, 17);  // all but motorcycle (.032) and bicycle (.042)
}

TEST(CompareClassesTest, AMissingClassIsLeftOut) {
  const ClassDifferences classes = CompareClasses({0.3, std::numeric_limits<double>::quiet_NaN()}, {0.1, 0.5});
  EXPECT_TRUE(std::isnan(classes.differences[1]));
  EXPECT_NEAR(classes.mean_absolute, 0.2, 1e-12);
  EXPECT_EQ(classes.within_003, 0);
}

TEST(CompareClassesTest, ALimitIsWithin) { EXPECT_EQ(CompareClasses({0.05}, {0.04}).within_001, 1); }

TEST(PairMomentsTest, MergedPartsKeepTheDigitsOfLargeOffsets) {
  // Values near 1000 with a spread of 0.5: sums of squares in floats or naive doubles would lose it.
  PairMoments moments;
  for (int part = 0; part < 1000; ++part) {
    moments.Add(std::vector<float>{1000, 1000.5f, 1001}, std::vector<float>{1001, 1000.5f, 1000});
  }
  EXPECT_NEAR(moments.Pearson(), -1, 1e-12);
}

TEST(PairMomentsTest, ConstantsHaveNoCorrelation) {
  PairMoments moments;
  EXPECT_TRUE(std::isnan(moments.Pearson()));
  moments.Add(std::vector<float>{1, 1}, std::vector<float>{1, 2});
  EXPECT_TRUE(std::isnan(moments.Pearson()));
}

TEST(FidelityMeterTest, EqualMapsAreFaithful) {
  const std::vector<float> u = {0.1f, 0.2f, 0.4f};
  const std::vector<uint8_t> labels = {0, 1, 1};
  FidelityMeter meter(UncertaintyKind::kPredictiveStddev, 2);
  ASSERT_THAT(meter.AddPicture({u, labels}, {u, labels}), IsOk());
  const FidelityFigures figures = meter.Figures("teacher");
  EXPECT_EQ(figures.teacher, "teacher");
  EXPECT_EQ(figures.kind, UncertaintyKind::kPredictiveStddev);
  EXPECT_DOUBLE_EQ(figures.label_agreement, 1);
  EXPECT_DOUBLE_EQ(figures.mae, 0);
  EXPECT_DOUBLE_EQ(figures.rmsle, 0);
  EXPECT_NEAR(figures.pearson, 1, 1e-12);
  EXPECT_NEAR(figures.spearman, 1, 1e-12);
  EXPECT_EQ(figures.classes_within_001, 2);
}

TEST(FidelityMeterTest, AgreesWithNumpyAndScipyAndMerges) {
  FidelityMeter meter(UncertaintyKind::kPredictiveStddev, SyntheticPicture::kClasses);
  FidelityMeter rest(UncertaintyKind::kPredictiveStddev, SyntheticPicture::kClasses);
  int n = 0;
  for (const SyntheticPicture& picture : SyntheticSplit()) {
    ASSERT_THAT((n++ == 0 ? meter : rest)
                    .AddPicture({picture.student_uncertainty, picture.labels},
                                {picture.teacher_uncertainty, picture.teacher_labels}),
                IsOk());
  }
  meter.Merge(rest);
  const FidelityFigures figures = meter.Figures("");
  const nlohmann::json golden = GoldenFigures()["fidelity"];
  ExpectNear(figures.label_agreement, golden["label_agreement"], 1e-12, "label_agreement");
  ExpectNear(figures.mae, golden["mae"], 1e-9, "mae");
  ExpectNear(figures.rmse, golden["rmse"], 1e-9, "rmse");
  ExpectNear(figures.rmsle, golden["rmsle"], 1e-9, "rmsle");
  ExpectNear(figures.pearson, golden["pearson"], 1e-9, "pearson");
  ExpectNear(figures.spearman, golden["spearman"], 1e-4, "spearman");  // binned
  ExpectNear(figures.class_difference, golden["class_difference"], 1e-9, "class_difference");
  ExpectNear(figures.mean_signed_difference, golden["mean_signed_difference"], 1e-9, "signed");
  ExpectNear(figures.mean_absolute_difference, golden["mean_absolute_difference"], 1e-9, "absolute");
}

TEST(FidelityMeterTest, NothingAddedGivesNoFigure) {
  const FidelityFigures figures = FidelityMeter(UncertaintyKind::kPredictiveStddev, 2).Figures("");
  EXPECT_TRUE(std::isnan(figures.mae));
  EXPECT_TRUE(std::isnan(figures.label_agreement));
  EXPECT_TRUE(std::isnan(figures.mean_absolute_difference));
}

TEST(FidelityMeterTest, OddMapsAreRefused) {
  const std::vector<float> u = {0.1f, 0.2f};
  const std::vector<float> infinite = {0.1f, std::numeric_limits<float>::infinity()};
  const std::vector<uint8_t> labels = {0, 1};
  const std::vector<uint8_t> unknown = {0, 2};
  FidelityMeter meter(UncertaintyKind::kPredictiveStddev, 2);
  EXPECT_THAT(meter.AddPicture({u, labels}, {absl::MakeConstSpan(u).first(1), labels}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("must be of one size, are 2, 2, 1 and 2")));
  EXPECT_THAT(meter.AddPicture({u, labels}, {infinite, labels}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("teacher uncertainty[1]: must be finite")));
  EXPECT_THAT(meter.AddPicture({u, unknown}, {u, labels}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("student labels[1]: must be below 2, is 2")));
}

}  // namespace
}  // namespace candor
