// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/report.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/test_images.h"
#include "tests/trainer/report/sample_result.h"
#include "tests/trainer/report/well_formed.h"

namespace candor {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

ReportInput InputOf(std::vector<EvaluationResult> results) {
  ReportInput input;
  input.title = "Report";
  input.date = "1 March 2023";
  input.candor_version = "1.2.3";
  for (EvaluationResult& result : results) input.results.push_back({std::move(result), testing::TempDir()});
  return input;
}

std::string Render(const ReportInput& input) {
  const absl::StatusOr<std::string> html = RenderReport(input);
  EXPECT_THAT(html, IsOk());
  return html.value_or("");
}

// From the element with this id to the end of its table.
std::string TableOf(const std::string& html, const std::string& id) {
  const size_t begin = html.find(absl::StrCat("<table id=\"", id, "\""));
  if (begin == std::string::npos) return "";
  return html.substr(begin, html.find("</table>", begin) - begin);
}

// The row whose heading this is, its cells parted by spaces, without markup.
std::string RowOf(const std::string& table, const std::string& heading) {
  const size_t begin = table.find(absl::StrCat("<th scope=\"row\">", heading, "</th>"));
  if (begin == std::string::npos) return "";
  std::string text;
  bool in_tag = false;
  for (const char byte : table.substr(begin, table.find("</tr>", begin) - begin)) {
    if (byte == '<') {
      in_tag = true;
      if (!text.empty() && text.back() != ' ') text.push_back(' ');
    } else if (byte == '>') {
      in_tag = false;
    } else if (!in_tag) {
      text.push_back(byte);
    }
  }
  return text;
}

// What stands between <body> and <script>, where the browser's HTML is XML too: void elements aside.
std::string BodyOf(const std::string& html) {
  const size_t begin = html.find("<body>");
  std::string body = absl::StrCat(html.substr(begin, html.find("<script>", begin) - begin), "</body>");
  for (size_t at = body.find("<img "); at != std::string::npos; at = body.find("<img ", at + 1)) {
    body.insert(body.find('>', at), "/");
  }
  return body;
}

TEST(RenderReportTest, TeacherAndStudentAreAWholePage) {
  const std::string html = Render(InputOf({SampleTeacher(), SampleStudent()}));
  EXPECT_THAT(html, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(BodyOf(html), IsWellFormedXml());
  const std::vector<std::string> svgs = SvgsOf(html);
  // Three rejection panels, risk, histogram, two of classes; three of each model.
  EXPECT_THAT(svgs, SizeIs(7 + 2 * 3));
  EXPECT_THAT(svgs, Each(IsWellFormedXml()));
}

TEST(RenderReportTest, NothingIsLoadedFromOutside) {
  const std::string html = Render(InputOf({SampleTeacher(), SampleStudent()}));
  const std::string rest = absl::StrReplaceAll(html, {{"http://www.w3.org/2000/svg", ""}});
  for (const char* outside : {"http:", "https:", "src=\"/", "@import", "url(http", "<link"}) {
    EXPECT_THAT(rest, Not(HasSubstr(outside)));
  }
}

TEST(RenderReportTest, IdsAreUnique) {
  const std::string html = Render(InputOf({SampleTeacher(), SampleStudent(), SampleStudent()}));
  std::set<std::string> ids;
  for (size_t at = html.find(" id=\""); at != std::string::npos; at = html.find(" id=\"", at + 1)) {
    const std::string id = html.substr(at + 5, html.find('"', at + 5) - at - 5);
    EXPECT_TRUE(ids.insert(id).second) << id;
  }
}

TEST(RenderReportTest, SummaryNamesEachModelOnce) {
  const std::string table = TableOf(Render(InputOf({SampleTeacher(), SampleStudent()})), "summary-table");
  EXPECT_EQ(CountOf(table, ">cityscapes-teacher<"), 1);
  EXPECT_EQ(CountOf(table, ">cityscapes-student<"), 1);
  // Table 1 of the paper: 71.3 and 73.8; table 2: .106 and .108.
  EXPECT_THAT(RowOf(table, "cityscapes-teacher"), HasSubstr("ensemble 10 64 71.3 95.1 0.106"));
  EXPECT_THAT(RowOf(table, "cityscapes-student"), HasSubstr("student 1 64 73.8 95.5 0.108"));
  EXPECT_THAT(table, HasSubstr("<b>73.8</b>"));
  EXPECT_THAT(table, Not(HasSubstr("<b>0.108</b>")));
}

// Tables 1 and 2 of the paper, from which the differences follow.
TEST(RenderReportTest, ClassTableIsThePapers) {
  const EvaluationResult student = SampleStudent();
  const std::string table = TableOf(Render(InputOf({SampleTeacher(), student})), "classes-0");
  for (const ClassSpec& entry : student.classes) {
    EXPECT_EQ(CountOf(table, absl::StrCat("<th scope=\"row\">", entry.name, "</th>")), 1) << entry.name;
  }
  EXPECT_THAT(RowOf(table, "wall"), HasSubstr(" 50.4 46.7 \u22123.7 0.150 0.144 \u22120.006 0.006 \u2264 0.01"));
  EXPECT_THAT(RowOf(table, "pole"), HasSubstr(" 54.9 59.1 +4.2 0.100 0.128 +0.028 0.028 \u2264 0.03"));
  EXPECT_THAT(RowOf(table, "traffic light"), HasSubstr("\u22120.030 0.030 \u2264 0.03"));
  EXPECT_THAT(RowOf(table, "bicycle"), HasSubstr("+0.042 0.042 &gt; 0.03"));
  EXPECT_THAT(table, HasSubstr("10 of 19 classes are within 0.01, 17 within 0.03"));
  // Mean absolute deviation 0.0151, signed 0.002: recomputed from the paper's table.
  EXPECT_THAT(RowOf(table, "mean over classes"), HasSubstr("71.3 73.8 +2.5 0.106 0.108 +0.002 0.015"));
}

// Kinds have ranges of their own, so that only figures of one kind compare.
TEST(RenderReportTest, TheClosestToTheTeacherIsMarkedOfEachKind) {
  EvaluationResult close = SampleStudent();
  close.model = "close-student";
  close.fidelity[0].mae = 0.0113;
  FidelityFigures entropy = close.fidelity[0];
  entropy.kind = UncertaintyKind::kPredictiveEntropy;
  entropy.mae = 0.2;
  close.fidelity.push_back(entropy);
  EvaluationResult far = SampleStudent();
  far.fidelity.push_back(entropy);
  far.fidelity[1].mae = 0.3;
  const std::string table = TableOf(Render(InputOf({SampleTeacher(), close, far})), "fidelity");
  EXPECT_EQ(CountOf(table, ">predictive_stddev<"), 1);
  EXPECT_EQ(CountOf(table, ">predictive_entropy<"), 1);
  EXPECT_THAT(table, HasSubstr("<b>0.0113</b>"));
  EXPECT_THAT(table, HasSubstr("<b>0.2000</b>"));
  EXPECT_THAT(table, Not(HasSubstr("<b>0.0213</b>")));
  EXPECT_LT(table.find("0.0213"), table.find("0.2000")) << "kind by kind";
}

TEST(RenderReportTest, KindsAreRowsOfTheirModel) {
  const std::string table = TableOf(Render(InputOf({SampleTeacher(), SampleStudent()})), "error-detection");
  EXPECT_EQ(CountOf(table, "<th scope=\"row\">"), 7 + 4);
  EXPECT_EQ(CountOf(table, "scope=\"rowgroup\""), 2);
  EXPECT_THAT(RowOf(table, "predictive_entropy"), HasSubstr(" 0.942 "));
}

TEST(RenderReportTest, UnknownObjectsHaveATableOnlyIfMarked) {
  EvaluationResult student = SampleStudent();
  EXPECT_NE(TableOf(Render(InputOf({student})), "unknown-detection"), "");
  for (KindFigures& kind : student.kinds) kind.unknown.reset();
  EXPECT_EQ(TableOf(Render(InputOf({student})), "unknown-detection"), "");
}

TEST(RenderReportTest, OneModelAloneIsWhole) {
  const std::string html = Render(InputOf({SampleStudent()}));
  EXPECT_THAT(BodyOf(html), IsWellFormedXml());
  EXPECT_THAT(RowOf(TableOf(html, "classes-of-0"), "wall"), HasSubstr(" 46.7 0.144"));
  EXPECT_THAT(html, Not(HasSubstr("class=\"best\"><b>73.8")));
}

TEST(RenderReportTest, EmptyInputIsAPage) {
  const std::string html = Render(ReportInput());
  EXPECT_THAT(BodyOf(html), IsWellFormedXml());
  EXPECT_THAT(html, HasSubstr("No evaluation was given"));
}

TEST(RenderReportTest, ResultWithoutFiguresIsAPage) {
  EvaluationResult bare;
  bare.model = "bare";
  const std::string html = Render(InputOf({bare}));
  EXPECT_THAT(BodyOf(html), IsWellFormedXml());
  EXPECT_THAT(html, HasSubstr("bare"));
}

TEST(RenderReportTest, TextOfFilesIsEscaped) {
  EvaluationResult teacher = SampleTeacher();
  EvaluationResult student = SampleStudent();
  const std::string evil = "<script>alert(1)</script>\"'&";
  student.classes[3].name = teacher.classes[3].name = evil;
  student.model = teacher.model = student.data = student.split = student.digest = student.precision = evil;
  student.fingerprint = teacher.fingerprint = evil;
  student.fidelity[0].teacher = evil;
  PictureFigures picture;
  picture.name = evil;
  picture.picture_file = "gone.jpg";
  student.picture_figures = {picture};
  ReportInput input = InputOf({teacher, student});
  input.title = input.date = input.candor_version = input.command = evil;
  input.training = {{evil, {{1, 0, 1}, {2, 0, 1}}}};
  const std::string html = Render(input);
  EXPECT_EQ(CountOf(html, "<script>"), 1);  // our own
  EXPECT_THAT(BodyOf(html), IsWellFormedXml());
}

TEST(RenderReportTest, NaNShowsAsADash) {
  EvaluationResult student = SampleStudent();
  const double nan = std::nan("");
  student.class_iou[3] = nan;
  for (KindFigures& kind : student.kinds) {
    kind.class_pooled[3] = nan;
    kind.errors.auroc = nan;
    kind.rejection.miou_present[9] = nan;
  }
  student.calibration.ece = nan;
  const std::string html = Render(InputOf({SampleTeacher(), student}));
  EXPECT_THAT(BodyOf(html), IsWellFormedXml());
  const std::string row = RowOf(TableOf(html, "classes-0"), "wall");
  EXPECT_THAT(row, HasSubstr(" 50.4 \u2013 \u2013 0.150 \u2013 \u2013 \u2013 \u2013"));
  const std::string body = BodyOf(html);
  EXPECT_THAT(body, HasSubstr("ECE \u2013, largest gap 0.120"));
  EXPECT_THAT(body, HasSubstr("AUSE (Ilg et al. 2018), 0.0079"));
  for (const char* text : {">nan", "nan<", " nan", "NaN", ">inf", "-nan"}) EXPECT_THAT(body, Not(HasSubstr(text)));
}

TEST(RenderReportTest, FiguresOnOtherPicturesAreNotCompared) {
  EvaluationResult other = SampleStudent();
  other.fingerprint = "other";
  other.data = "folder:/fog";
  other.miou = 0.9;
  const std::string table = TableOf(Render(InputOf({SampleTeacher(), SampleStudent(), other})), "summary-table");
  EXPECT_THAT(table, HasSubstr("<b>73.8</b>"));
  EXPECT_THAT(table, Not(HasSubstr("<b>90.0</b>")));
  EXPECT_EQ(CountOf(table, "scope=\"rowgroup\""), 2);
}

TEST(RenderReportTest, RunsHaveTheirCurves) {
  ReportInput input = InputOf({});
  TrainingCurve curve = {"member-0", {}};
  for (int step = 0; step < 5000; ++step) {
    TrainingPoint point;
    point.step = step;
    point.loss = 1.0 / (step + 1);
    point.learning_rate = 0.1;
    if (step % 1000 == 0) point.validation_miou = 0.5;
    curve.points.push_back(point);
  }
  input.training = {curve};
  const std::string html = Render(input);
  EXPECT_THAT(SvgsOf(html), SizeIs(3));  // loss, mIoU, learning rate: the rest was not said
  EXPECT_THAT(html, HasSubstr("member-0"));
  EXPECT_LT(html.size(), 60000u);  // not 5000 points a line
}

TEST(RenderReportTest, ProvenanceHasDigestsAndCommands) {
  ReportInput input = InputOf({SampleTeacher(), SampleStudent()});
  input.command = "candor-train report --results a.json";
  const std::string html = Render(input);
  EXPECT_THAT(html, HasSubstr(SampleStudent().digest));
  EXPECT_THAT(html, HasSubstr(SampleStudent().fingerprint));
  EXPECT_THAT(html, HasSubstr("candor-train evaluate --bundle cityscapes-student --teacher cityscapes-teacher --data "
                              "cityscapes:/data/cityscapes --split val --precision fp32 --out results.json"));
  EXPECT_THAT(html, HasSubstr("candor-train report --results a.json"));
}

class ReportPicturesTest : public testing::Test {
 protected:
  ReportPicturesTest() {
    EvaluationResult student = SampleStudent();
    // Worst first; the third is the most uncertain.
    for (const auto& [name, uncertainty] : {std::pair("worst", 0.1), {"second", 0.2}, {"unsure", 0.4}, {"fine", 0.0}}) {
      PictureFigures picture;
      picture.name = name;
      picture.mean_uncertainty = uncertainty;
      picture.picture_file = absl::StrCat(name, ".png");
      student.picture_figures.push_back(picture);
      EXPECT_THAT(WriteFileAtomically(absl::StrCat(testing::TempDir(), "/", picture.picture_file), MakePng({})),
                  IsOk());
    }
    input_ = InputOf({student});
    input_.pictures_each = 1;
  }

  std::string& file() { return input_.results[0].result.picture_figures[0].picture_file; }

  ReportInput input_;
};

TEST_F(ReportPicturesTest, WorstComesFirstThenTheMostUncertain) {
  const std::string html = Render(input_);
  EXPECT_LT(html.find("<h4>worst</h4>"), html.find("<h4>unsure</h4>"));
  EXPECT_THAT(html, Not(HasSubstr("<h4>second</h4>")));
  EXPECT_THAT(html, Not(HasSubstr("<h4>fine</h4>")));
  EXPECT_EQ(CountOf(html, "<img alt=\"picture of "), 2);
  EXPECT_EQ(CountOf(html, "src=\"data:image/png;base64,"), 2);
  EXPECT_THAT(BodyOf(html), IsWellFormedXml());
}

TEST_F(ReportPicturesTest, ThoseAskedForByNameAreNotCalledTheWorst) {
  // Only the two in the middle have files.
  for (PictureFigures& picture : input_.results[0].result.picture_figures) {
    if (picture.name != "second") picture.picture_file.clear();
  }
  EXPECT_THAT(Render(input_), Not(HasSubstr("<h4>")));
}

class SideBySideTest : public testing::Test {
 protected:
  SideBySideTest() {
    EXPECT_THAT(WriteFileAtomically(testing::TempDir() + "/map.png", MakePng({})), IsOk());
    EvaluationResult teacher = SampleTeacher();
    EvaluationResult student = SampleStudent();
    teacher.picture_figures = {PictureOf("b"), PictureOf("a"), PictureOf("theirs")};
    student.picture_figures = {PictureOf("ours"), PictureOf("a"), PictureOf("b")};
    input_ = InputOf({teacher, student});
    input_.pictures_each = 0;
  }

  static PictureFigures PictureOf(const std::string& name) {
    PictureFigures picture;
    picture.name = name;
    picture.picture_file = picture.truth_file = picture.uncertainty_file = picture.error_file = "map.png";
    return picture;
  }

  ReportInput input_;
};

TEST_F(SideBySideTest, ShowsWhatAllModelsHaveFilesOf) {
  const std::string html = Render(input_);
  EXPECT_LT(html.find("<h4>a</h4>"), html.find("<h4>b</h4>"));
  EXPECT_THAT(html, Not(HasSubstr("<h4>ours</h4>")));
  EXPECT_THAT(html, Not(HasSubstr("<h4>theirs</h4>")));
  EXPECT_EQ(CountOf(html, "<img alt=\"uncertainty of a by "), 2);
  EXPECT_EQ(CountOf(html, "<img alt=\"errors of a by "), 2);
  EXPECT_EQ(CountOf(html, "<img alt=\"true labels of a"), 1);
  EXPECT_THAT(BodyOf(html), IsWellFormedXml());
}

TEST_F(SideBySideTest, AtMostAsManyAsAskedFor) {
  input_.side_by_side = 1;
  EXPECT_THAT(Render(input_), Not(HasSubstr("<h4>b</h4>")));
  input_.side_by_side = 0;
  EXPECT_THAT(Render(input_), Not(HasSubstr("id=\"side-by-side\"")));
}

TEST_F(SideBySideTest, OtherPicturesAreNotBesideThem) {
  input_.results[1].result.fingerprint = "another";
  EXPECT_THAT(Render(input_), Not(HasSubstr("id=\"side-by-side\"")));
}

TEST_F(ReportPicturesTest, MissingFileIsNoted) {
  file() = "gone.png";
  EXPECT_THAT(Render(input_), HasSubstr("file not found: gone.png"));
}

TEST_F(ReportPicturesTest, FilesOutsideTheFolderAreRefused) {
  for (const char* path : {"../x.png", "/etc/passwd", "a/../../x.png", "a//x.png"}) {
    file() = path;
    EXPECT_THAT(RenderReport(input_), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("must lie below")))
        << path;
  }
}

TEST_F(ReportPicturesTest, WhatIsNoPictureIsRefused) {
  file() = "text.png";
  ASSERT_THAT(WriteFileAtomically(testing::TempDir() + "/text.png", "<svg onload=alert(1)>"), IsOk());
  EXPECT_THAT(RenderReport(input_),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("cityscapes-student: picture file must be")));
}

TEST(RenderReportTest, ListsMustFitTheClasses) {
  EvaluationResult student = SampleStudent();
  student.class_iou.pop_back();
  EXPECT_THAT(
      RenderReport(InputOf({student})),
      HasStatus(absl::StatusCode::kInvalidArgument, "cityscapes-student: class_iou: must have 19 entries, got 18"));
  student = SampleStudent();
  student.confusion[4].push_back(0);
  EXPECT_THAT(RenderReport(InputOf({student})),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("confusion row")));
  student = SampleStudent();
  student.kinds[1].class_pooled.clear();
  EXPECT_THAT(RenderReport(InputOf({student})),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("kinds.predictive_entropy.class_pooled")));
  student = SampleStudent();
  student.kinds[0].rejection.accuracy.pop_back();
  EXPECT_THAT(RenderReport(InputOf({student})), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("rejection")));
}

}  // namespace
}  // namespace candor
