// SPDX-License-Identifier: Apache-2.0
#include "client/demo/demo_statistics.h"

#include "gmock/gmock.h"
#include "tests/client_demo/small_report.h"

namespace candor {
namespace {

using testing::DoubleNear;
using testing::Optional;

TEST(DemoShareTest, NothingOfNothingIsNoShare) { EXPECT_EQ(DemoShare().Value(), std::nullopt); }

TEST(DemoShareTest, AddsUpByCountsNotByShares) {
  DemoShare share{1, 1};
  share.Add({0, 3});
  EXPECT_EQ(share.Value(), 0.25);
}

TEST(CountAgreementTest, CountsEqualLabels) {
  const DemoPicture picture = LeftPicture();
  const DemoShare share = CountAgreement(picture.student.labels, picture.teacher.labels);
  EXPECT_EQ(share.hits, 3);
  EXPECT_EQ(share.total, 4);
}

TEST(CountCorrectTest, LeavesVoidOut) {
  const DemoPicture picture = LeftPicture();
  const DemoShare student = CountCorrect(picture.student.labels, *picture.truth, 3);
  EXPECT_EQ(student.hits, 2);
  EXPECT_EQ(student.total, 3);
  EXPECT_EQ(CountCorrect(picture.teacher.labels, *picture.truth, 3).hits, 1);
}

TEST(CountCorrectTest, AnIndexJustAboveTheClassesIsVoid) {
  const ByteMap labels{3, 1, {2, 2, 1}};
  const ByteMap truth{3, 1, {3, 2, 2}};
  const DemoShare share = CountCorrect(labels, truth, 3);
  EXPECT_EQ(share.hits, 1);
  EXPECT_EQ(share.total, 2);
}

// Of the three labelled pixels, truth 0 0 2 against 0 1 2: class 0 meets in one and joins in two, class 1 is given
// wrongly once, class 2 meets in its only one.
TEST(CountOverlapTest, IsIntersectionOverUnionWithoutVoid) {
  const DemoPicture picture = LeftPicture();
  const std::vector<DemoShare> overlap = CountOverlap(picture.student.labels, *picture.truth, 3);
  ASSERT_EQ(overlap.size(), 3U);
  EXPECT_EQ(overlap[0].Value(), 0.5);
  EXPECT_EQ(overlap[1].Value(), 0.0);
  EXPECT_EQ(overlap[2].Value(), 1.0);
}

TEST(TotalOfTest, AveragesTimesOverPicturesAndUncertaintyOverPixels) {
  const DemoTotals student = TotalOf(SmallReport(), &DemoPicture::student);
  EXPECT_DOUBLE_EQ(student.round_trip_ms, 15);
  EXPECT_DOUBLE_EQ(student.infer_ms, 7);
  EXPECT_DOUBLE_EQ(student.mean_uncertainty, 0.175);
}

TEST(TotalOfTest, WeighsPicturesByTheirPixels) {
  DemoReport report = SmallReport();
  report.pictures[1].student.labels = {1, 1, {0}};
  report.pictures[1].student.uncertainty = {1, 1, {0.4F}};
  report.pictures[1].student.mean_uncertainty = 0.4;
  // (4 * 0.15 + 1 * 0.4) / 5
  EXPECT_DOUBLE_EQ(TotalOf(report, &DemoPicture::student).mean_uncertainty, 0.2);
}

TEST(TotalOfTest, JudgesOnlyPicturesWithGroundTruth) {
  EXPECT_EQ(TotalOf(SmallReport(), &DemoPicture::student).correct.total, 3);
  DemoReport report = SmallReport();
  report.pictures.erase(report.pictures.begin());
  EXPECT_EQ(TotalOf(report, &DemoPicture::student).correct.Value(), std::nullopt);
}

// The student labels five pixels 0, with uncertainties 0, 0.2, 0.2, 0.2, 0.2; one 1, with 0.1; two 2, with 0.2 and 0.3.
TEST(TotalOfTest, ClassUncertaintyIsTheMeanOverItsPredictedPixels) {
  const DemoTotals totals = TotalOf(SmallReport(), &DemoPicture::student);
  EXPECT_THAT(totals.class_uncertainty[0], Optional(DoubleNear(0.16, 1e-6)));
  EXPECT_THAT(totals.class_uncertainty[1], Optional(DoubleNear(0.1, 1e-6)));
  EXPECT_THAT(totals.class_uncertainty[2], Optional(DoubleNear(0.25, 1e-6)));
}

TEST(TotalOfTest, AClassThatIsNeverGivenHasNoUncertainty) {
  DemoReport report = SmallReport();
  report.pictures.erase(report.pictures.begin());
  EXPECT_EQ(TotalOf(report, &DemoPicture::student).class_uncertainty[1], std::nullopt);
}

TEST(TotalOfTest, NoPictureGivesZeros) {
  const DemoTotals totals = TotalOf(ReportWithoutPictures(), &DemoPicture::student);
  EXPECT_EQ(totals.round_trip_ms, 0);
  EXPECT_EQ(totals.mean_uncertainty, 0);
}

TEST(TotalAgreementTest, PoolsAllPictures) {
  const DemoShare agreement = TotalAgreement(SmallReport());
  EXPECT_EQ(agreement.hits, 7);
  EXPECT_EQ(agreement.total, 8);
}

TEST(SpeedRatioTest, DividesTheTeachersTimeByTheStudents) {
  const DemoReport report = SmallReport();
  EXPECT_EQ(SpeedRatio(TotalOf(report, &DemoPicture::student), TotalOf(report, &DemoPicture::teacher)), 5.0);
}

TEST(SpeedRatioTest, IsNoneWithoutTheStudentsTime) { EXPECT_EQ(SpeedRatio({}, {}), std::nullopt); }

}  // namespace
}  // namespace candor
