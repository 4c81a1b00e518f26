// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/split_evaluation.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/evaluation/golden_figures.h"
#include "tests/trainer/evaluation/synthetic_split.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::HasSubstr;

EvaluationResult ResultOf(const std::vector<SyntheticPicture>& pictures) {
  SplitEvaluation evaluation(kSyntheticKinds, SyntheticPicture::kClasses, {0.5});
  for (const SyntheticPicture& picture : pictures) EXPECT_THAT(evaluation.AddPicture(picture.Scored()), IsOk());
  EvaluationResult result;
  evaluation.Fill(&result);
  return result;
}

void ExpectDetection(const DetectionFigures& figures, const json& golden, double tolerance, const std::string& what) {
  ExpectNear(figures.auroc, golden["auroc"], tolerance, what + ".auroc");
  ExpectNear(figures.aupr, golden["aupr"], tolerance, what + ".aupr");
  ExpectNear(figures.aupr_negative, golden["aupr_negative"], tolerance, what + ".aupr_negative");
  ExpectNear(figures.fpr95, golden["fpr95"], tolerance, what + ".fpr95");
  EXPECT_EQ(figures.positives, golden["positives"]);
  EXPECT_EQ(figures.negatives, golden["negatives"]);
}

void ExpectCertainty(const AccuracyVersusUncertainty& figures, const json& golden, const std::string& what) {
  ExpectNear(figures.threshold, golden["threshold"], 1e-6, what + ".threshold");
  ExpectNear({figures.accurate_if_certain, figures.uncertain_if_inaccurate, figures.pavpu}, golden["pixels"], 1e-9,
             what + ".pixels");
  ExpectNear({figures.patch_accurate_if_certain, figures.patch_uncertain_if_inaccurate, figures.patch_pavpu},
             golden["patches"], 1e-9, what + ".patches");
}

// `tolerance`: of what is read from bins.
void ExpectKind(const KindFigures& figures, const json& golden, double tolerance, const std::string& what) {
  ExpectNear(figures.mean, golden["mean"], 1e-6, what + ".mean");
  ExpectNear(figures.median, golden["median"], 1e-3, what + ".median");
  ExpectNear(figures.class_pooled, golden["class_pooled"], 1e-6, what + ".class_pooled");
  ExpectNear(figures.class_batch, golden["class_batch"], 1e-6, what + ".class_batch");
  ExpectNear(figures.munc_pooled, golden["munc_pooled"], 1e-6, what + ".munc_pooled");
  ExpectNear(figures.munc_batch, golden["munc_batch"], 1e-6, what + ".munc_batch");
  ExpectDetection(figures.errors, golden["errors"], tolerance, what + ".errors");
  ASSERT_TRUE(figures.unknown.has_value());
  ExpectDetection(*figures.unknown, golden["unknown"], tolerance, what + ".unknown");
  ExpectCertainty(figures.accuracy_versus_uncertainty[0], golden["median_rule"], what + ".median_rule");
  ExpectCertainty(figures.accuracy_versus_uncertainty[1], golden["mean_rule"], what + ".mean_rule");
  ExpectNear(figures.risk_coverage.aurc, golden["aurc"], tolerance, what + ".aurc");
  ExpectNear(figures.risk_coverage.e_aurc, golden["e_aurc"], tolerance, what + ".e_aurc");
  ExpectNear(figures.risk_coverage.augrc, golden["augrc"], tolerance, what + ".augrc");
  ExpectNear(figures.risk_coverage.curve[29].y, golden["risk_at_30"], tolerance, what + ".risk_at_30");
  ExpectNear(figures.sparsification.ause, golden["ause"], tolerance, what + ".ause");
  ExpectNear(figures.sparsification.curve[70].y, golden["risk_at_30"], tolerance, what + ".curve");
  ExpectNear(figures.sparsification.oracle[5].y, golden["oracle_at_95"], 1e-9, what + ".oracle");
  ExpectNear(figures.histogram, golden["histogram"], 5e-4, what + ".histogram");  // two pixels at bin edges
}

void ExpectRejection(const RejectionCurve& curve, const json& golden, double tolerance, const std::string& what) {
  ExpectNear(curve.miou_present, golden["miou_present"], tolerance, what + ".miou_present");
  ExpectNear(curve.miou_all, golden["miou_all"], tolerance, what + ".miou_all");
  ExpectNear(curve.accuracy, golden["accuracy"], tolerance, what + ".accuracy");
  ExpectNear(curve.area, golden["area"], tolerance, what + ".area");
}

TEST(SplitEvaluationTest, AgreesWithNumpyAndScikitLearn) {
  const EvaluationResult result = ResultOf(SyntheticSplit());
  const json golden = GoldenFigures();
  EXPECT_EQ(result.pictures, 3);
  EXPECT_EQ(result.pixels, golden["pixels"]);
  EXPECT_EQ(result.void_pixels, 600);
  ExpectNear(result.miou, golden["miou"], 1e-12, "miou");
  ExpectNear(result.accuracy, golden["accuracy"], 1e-12, "accuracy");
  ExpectNear(result.class_iou, golden["class_iou"], 1e-12, "class_iou");
  EXPECT_EQ(json(result.confusion), golden["confusion"]);
  ExpectNear(result.calibration.ece, golden["calibration"]["ece"], 1e-9, "ece");
  ExpectNear(result.rss, golden["rss"], 1e-9, "rss");

  ASSERT_EQ(result.kinds.size(), 3u);
  const json& kinds = golden["kinds"];
  // All values differ, and each has a bin of its own.
  ExpectKind(result.kinds[0], kinds["max_probability"], 1e-9, "distinct");
  ExpectRejection(result.kinds[0].rejection, kinds["max_probability"]["rejection"], 1e-9, "distinct");
  ExpectCertainty(result.kinds[0].accuracy_versus_uncertainty[2], kinds["max_probability"]["fixed_rule"], "fixed");
  // 17 steps: ties everywhere.
  ExpectKind(result.kinds[1], kinds["margin"], 1e-9, "tied");
  // Values share bins now and then.
  ExpectKind(result.kinds[2], kinds["predictive_entropy"], 1e-3, "entropy");
  ExpectRejection(result.kinds[2].rejection, kinds["predictive_entropy"]["rejection"], 1e-3, "entropy");
}

TEST(SplitEvaluationTest, PicturesAreSortedWorstFirst) {
  const EvaluationResult result = ResultOf(SyntheticSplit());
  const json golden = GoldenFigures()["picture_miou"];
  ASSERT_EQ(result.picture_figures.size(), 3u);
  EXPECT_EQ(result.picture_figures[0].name, "picture1");
  EXPECT_EQ(result.picture_figures[1].name, "picture2");
  EXPECT_EQ(result.picture_figures[2].name, "picture0");
  ExpectNear(result.picture_figures[0].miou, golden[1], 1e-12, "worst");
  ExpectNear(result.picture_figures[2].miou, golden[0], 1e-12, "best");
  EXPECT_EQ(result.picture_figures[0].pixels, 1800);
  EXPECT_NEAR(result.picture_figures[0].accuracy, 1 - result.picture_figures[0].wrong_pixels / 1800.0, 1e-12);
}

TEST(SplitEvaluationTest, APictureOfVoidComesLastAndChangesNoFigureOfErrors) {
  std::vector<SyntheticPicture> pictures = SyntheticSplit();
  pictures[0].truth.assign(SyntheticPicture::kPixels, 255);
  const EvaluationResult result = ResultOf(pictures);
  EXPECT_EQ(result.picture_figures.back().name, "picture0");
  EXPECT_TRUE(std::isnan(result.picture_figures.back().miou));
  pictures.erase(pictures.begin());
  EXPECT_DOUBLE_EQ(result.kinds[0].errors.auroc, ResultOf(pictures).kinds[0].errors.auroc);
}

TEST(SplitEvaluationTest, MergeEqualsOneEvaluation) {
  const std::vector<SyntheticPicture> pictures = SyntheticSplit();
  const EvaluationResult whole = ResultOf(pictures);
  SplitEvaluation first(kSyntheticKinds, SyntheticPicture::kClasses, {0.5});
  SplitEvaluation second(kSyntheticKinds, SyntheticPicture::kClasses, {0.5});
  ASSERT_THAT(first.AddPicture(pictures[0].Scored()), IsOk());
  ASSERT_THAT(second.AddPicture(pictures[1].Scored()), IsOk());
  ASSERT_THAT(second.AddPicture(pictures[2].Scored()), IsOk());
  ASSERT_THAT(first.Merge(second), IsOk());
  EvaluationResult merged;
  first.Fill(&merged);
  EXPECT_EQ(merged.confusion, whole.confusion);
  EXPECT_NEAR(merged.rss, whole.rss, 1e-12);
  EXPECT_EQ(merged.kinds[1].errors.auroc, whole.kinds[1].errors.auroc);
  EXPECT_EQ(merged.kinds[1].rejection.miou_present, whole.kinds[1].rejection.miou_present);
  EXPECT_EQ(merged.kinds[1].accuracy_versus_uncertainty[0].pavpu, whole.kinds[1].accuracy_versus_uncertainty[0].pavpu);
  EXPECT_EQ(merged.kinds[1].unknown->aupr, whole.kinds[1].unknown->aupr);
  EXPECT_NEAR(merged.kinds[1].munc_batch, whole.kinds[1].munc_batch, 1e-12);
  EXPECT_EQ(merged.picture_figures[0].name, whole.picture_figures[0].name);
  EXPECT_EQ(merged.void_pixels, whole.void_pixels);
}

TEST(SplitEvaluationTest, WithoutProbabilitiesCalibrationIsNotMeasured) {
  SyntheticPicture picture = SyntheticSplit()[0];
  ScoredPicture scored = picture.Scored();
  scored.probabilities = nullptr;
  SplitEvaluation evaluation(kSyntheticKinds, SyntheticPicture::kClasses);
  ASSERT_THAT(evaluation.AddPicture(scored), IsOk());
  EvaluationResult result;
  evaluation.Fill(&result);
  EXPECT_TRUE(std::isnan(result.calibration.ece));
  EXPECT_TRUE(std::isnan(result.rss));
  EXPECT_FALSE(std::isnan(result.miou));
  EXPECT_THAT(evaluation.AddPicture(picture.Scored()),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("picture picture0: must have probabilities if")));
}

TEST(SplitEvaluationTest, OddPicturesAreRefusedAndNotCounted) {
  SplitEvaluation evaluation(kSyntheticKinds, SyntheticPicture::kClasses);
  const auto expect_refusal = [&](void (*spoil)(SyntheticPicture*), const std::string& message) {
    SyntheticPicture picture = SyntheticSplit()[0];
    spoil(&picture);
    EXPECT_THAT(evaluation.AddPicture(picture.Scored()),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("picture picture0: " + message)));
  };
  expect_refusal([](SyntheticPicture* p) { p->truth[5] = 7; }, "truth[5]: must be below 7 or 255, is 7");
  expect_refusal([](SyntheticPicture* p) { p->labels[9] = 255; }, "labels[9]: must be below 7, is 255");
  expect_refusal([](SyntheticPicture* p) { p->unknown_mask[1] = 2; }, "unknown mask[1]: must be below 2 or 255, is 2");
  expect_refusal([](SyntheticPicture* p) { p->kinds[1][8] = std::numeric_limits<float>::quiet_NaN(); },
                 "margin[8]: must be finite, is nan");
  expect_refusal([](SyntheticPicture* p) { p->probabilities[3] = std::numeric_limits<float>::infinity(); },
                 "probabilities[3]: must be finite, is inf");
  expect_refusal([](SyntheticPicture* p) { p->kinds.pop_back(); }, "must have 3 uncertainty maps, has 2");

  ScoredPicture empty = SyntheticSplit()[0].Scored();
  empty.height = 0;
  EXPECT_THAT(evaluation.AddPicture(empty), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("is 50x0")));
  EvaluationResult result;
  evaluation.Fill(&result);
  EXPECT_EQ(result.pictures, 0);
  EXPECT_EQ(result.void_pixels, 0);
}

TEST(SplitEvaluationTest, NoPictureGivesNoFigure) {
  const EvaluationResult result = ResultOf({});
  EXPECT_EQ(result.pictures, 0);
  EXPECT_TRUE(std::isnan(result.miou));
  EXPECT_TRUE(std::isnan(result.rss));
  EXPECT_TRUE(std::isnan(result.kinds[0].errors.auroc));
  EXPECT_TRUE(std::isnan(result.kinds[0].munc_pooled));
}

}  // namespace
}  // namespace candor
