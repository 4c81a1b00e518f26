// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/result_json.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/evaluation/synthetic_split.h"
#include "trainer/evaluation/fidelity.h"
#include "trainer/evaluation/metric_definitions.h"
#include "trainer/evaluation/split_evaluation.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::HasSubstr;

EvaluationResult FullResult() {
  SplitEvaluation evaluation(kSyntheticKinds, SyntheticPicture::kClasses);
  FidelityMeter fidelity(UncertaintyKind::kPredictiveStddev, SyntheticPicture::kClasses);
  for (const SyntheticPicture& picture : SyntheticSplit()) {
    EXPECT_THAT(evaluation.AddPicture(picture.Scored()), IsOk());
    EXPECT_THAT(fidelity.AddPicture({picture.student_uncertainty, picture.labels},
                                    {picture.teacher_uncertainty, picture.teacher_labels}),
                IsOk());
  }
  EvaluationResult result;
  result.model = "student";
  result.kind = ModelKind::kStudent;
  result.digest = "abc";
  result.width = 16;
  result.members = 1;
  result.data = "camvid:/data";
  result.split = "test";
  result.fingerprint = "f00";
  result.precision = "fp32";
  for (int c = 0; c < SyntheticPicture::kClasses; ++c) {
    result.classes.push_back({"class" + std::to_string(c), {static_cast<uint8_t>(c), 2, 3}});
  }
  result.seconds = 1.5;
  evaluation.Fill(&result);
  result.fidelity.push_back(fidelity.Figures("teacher"));
  result.picture_figures[0].picture_file = "pictures/a.jpg";
  result.picture_figures[0].error_file = "pictures/a_error.png";
  return result;
}

std::string Edited(void (*edit)(json*)) {
  json document = json::parse(ResultToJson(FullResult()));
  edit(&document);
  return document.dump();
}

TEST(ResultJsonTest, ReadsWhatItWrites) {
  const EvaluationResult result = FullResult();
  const std::string text = ResultToJson(result);
  const auto read = ResultFromJson(text);
  ASSERT_THAT(read, IsOk());
  // Every key is written from a field of its own, so equal text is an equal result.
  EXPECT_EQ(ResultToJson(*read), text);
  EXPECT_EQ(read->model, "student");
  EXPECT_EQ(read->kind, ModelKind::kStudent);
  EXPECT_EQ(read->data, "camvid:/data");
  EXPECT_EQ(read->classes[3].name, "class3");
  EXPECT_EQ(read->classes[3].colour, (Colour{3, 2, 3}));
  EXPECT_EQ(read->confusion, result.confusion);
  EXPECT_EQ(read->pixels, result.pixels);
  ASSERT_EQ(read->kinds.size(), 3u);
  EXPECT_EQ(read->kinds[0].kind, UncertaintyKind::kMaxProbability);  // the default stays first
  EXPECT_EQ(read->kinds[2].kind, UncertaintyKind::kPredictiveEntropy);
  EXPECT_EQ(read->kinds[1].rejection.miou_all, result.kinds[1].rejection.miou_all);
  EXPECT_EQ(read->kinds[1].accuracy_versus_uncertainty[1].rule, "mean");
  EXPECT_EQ(read->kinds[1].risk_coverage.curve[7].y, result.kinds[1].risk_coverage.curve[7].y);
  EXPECT_EQ(read->kinds[1].unknown->positives, result.kinds[1].unknown->positives);
  EXPECT_EQ(read->fidelity[0].teacher, "teacher");
  EXPECT_EQ(read->fidelity[0].spearman, result.fidelity[0].spearman);
  EXPECT_EQ(read->picture_figures[0].error_file, "pictures/a_error.png");
  EXPECT_TRUE(std::isnan(read->class_iou[6]));
}

TEST(ResultJsonTest, PlainKeysRepeatTheDefaultKind) {
  const EvaluationResult result = FullResult();
  const json document = json::parse(ResultToJson(result));
  EXPECT_EQ(document["miou"], result.miou);
  EXPECT_EQ(document["pictures"], 3);
  EXPECT_EQ(document["munc"], result.kinds[0].munc_pooled);
  EXPECT_EQ(document["class_uncertainty"][2], result.kinds[0].class_pooled[2]);
  ASSERT_EQ(document["rejection_curve"].size(), 10u);
  EXPECT_EQ(document["rejection_curve"][4], result.kinds[0].rejection.miou_present[4]);
  EXPECT_EQ(document["error_auroc"], result.kinds[0].errors.auroc);
  EXPECT_EQ(document["ece"], result.calibration.ece);
  EXPECT_EQ(document["nll"], result.calibration.nll);
  EXPECT_EQ(document["brier"], result.calibration.brier);
  EXPECT_EQ(document["kinds"]["margin"]["error_auroc"], result.kinds[1].errors.auroc);
  EXPECT_EQ(document["kinds"]["margin"]["rejection_curve"], json(result.kinds[1].rejection.miou_present));
  EXPECT_EQ(document["definitions"]["miou"], std::string(MetricDefinitionOf("miou")));
}

TEST(ResultJsonTest, WhatIsNoNumberIsNull) {
  EvaluationResult result = FullResult();
  result.rss = std::numeric_limits<double>::infinity();
  result.kinds[0].unknown.reset();
  const std::string text = ResultToJson(result);
  const json document = json::parse(text);
  EXPECT_TRUE(document["class_iou"][6].is_null());
  EXPECT_TRUE(document["rss"].is_null());
  EXPECT_TRUE(document["kinds"]["max_probability"]["unknown"].is_null());
  const auto read = ResultFromJson(text);
  ASSERT_THAT(read, IsOk());
  EXPECT_TRUE(std::isnan(read->rss));
  EXPECT_FALSE(read->kinds[0].unknown.has_value());
}

TEST(ResultJsonTest, AModelWithoutUncertaintyIsWrittenToo) {
  EvaluationResult result = FullResult();
  result.kinds.clear();
  const std::string text = ResultToJson(result);
  EXPECT_TRUE(json::parse(text)["munc"].is_null());
  ASSERT_THAT(ResultFromJson(text), IsOk());
}

TEST(ResultJsonTest, ANameThatIsNotUtf8DoesNotThrow) {
  EvaluationResult result = FullResult();
  result.picture_figures[0].name = "\xff.png";
  EXPECT_THAT(ResultFromJson(ResultToJson(result)), IsOk());
}

TEST(ResultJsonTest, OddFilesAreRefusedWithThePath) {
  const auto expect_refusal = [](const std::string& text, const std::string& message) {
    EXPECT_THAT(ResultFromJson(text), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  expect_refusal("", "not valid JSON");
  expect_refusal("[]", "top level: must be an object");
  expect_refusal("{}", "format_version: missing");
  expect_refusal(Edited([](json* d) { (*d)["format_version"] = 2; }), "format_version: must be 1");
  expect_refusal(Edited([](json* d) { (*d)["extra"] = 2; }), "extra: unknown key");
  expect_refusal(Edited([](json* d) { d->erase("miou"); }), "miou: missing");
  expect_refusal(Edited([](json* d) { d->erase("kinds"); }), "kinds: missing");
  expect_refusal(Edited([](json* d) { (*d)["miou"] = "high"; }), "miou: must be a number or null");
  expect_refusal(Edited([](json* d) { (*d)["model"]["kind"] = "oracle"; }), "model.kind: ");
  expect_refusal(Edited([](json* d) { (*d)["model"]["uncertainty"][1] = "guess"; }), "model.uncertainty[1]: ");
  expect_refusal(Edited([](json* d) { (*d)["kinds"].erase("margin"); }), "kinds.margin: missing");
  expect_refusal(Edited([](json* d) { (*d)["kinds"]["margin"]["errors"]["auroc"] = true; }),
                 "kinds.margin.errors.auroc: must be a number or null");
  expect_refusal(Edited([](json* d) { (*d)["kinds"]["margin"]["risk_coverage"]["curve"][3] = {1}; }),
                 "kinds.margin.risk_coverage.curve[3]: must have 2 items");
  expect_refusal(Edited([](json* d) { (*d)["class_iou"].erase(0); }), "class_iou: must have 7 items, has 6");
  expect_refusal(Edited([](json* d) { (*d)["confusion"][2].erase(0); }), "confusion[2]: must have 7 items, has 6");
  expect_refusal(Edited([](json* d) { (*d)["kinds"]["margin"]["rejection"]["accuracy"].erase(0); }),
                 "kinds.margin.rejection.accuracy: must have 10 items, has 9");
  expect_refusal(Edited([](json* d) { (*d)["pictures"] = -1; }), "pictures: must be an integer");
}

}  // namespace
}  // namespace candor
