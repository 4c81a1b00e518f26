// SPDX-License-Identifier: Apache-2.0
//
// Tables 1 and 2 of DUDES (Landgraf et al. 2023) in one: a row a class, teacher and student side by side.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainer/report/html.h"
#include "trainer/report/html_table.h"
#include "trainer/report/result_relations.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

// Differences that the paper's Table 2 sets apart as close and as fair; 0.142 - 0.112 is within 0.03.
constexpr double kRounding = 1e-9;
constexpr double kClose = 0.01 + kRounding;
constexpr double kFair = 0.03 + kRounding;

// Shares of the labelled pixels, by true class.
std::vector<double> ClassShares(const EvaluationResult& result) {
  std::vector<double> shares;
  double total = 0;
  for (const std::vector<int64_t>& row : result.confusion) {
    double pixels = 0;
    for (const int64_t count : row) pixels += static_cast<double>(count);
    shares.push_back(pixels);
    total += pixels;
  }
  for (double& share : shares) share = total > 0 ? share / total : std::nan("");
  shares.resize(result.classes.size(), std::nan(""));
  return shares;
}

double ClassUncertainty(const KindFigures* kind, size_t class_index) {
  return kind != nullptr ? kind->class_pooled[class_index] : std::nan("");
}

TableCell MarkCell(double difference) {
  if (!std::isfinite(difference)) return {kDash};
  if (std::abs(difference) <= kClose) return {"<span class=\"close\">\xE2\x89\xA4 0.01</span>"};
  if (std::abs(difference) <= kFair) return {"<span class=\"fair\">\xE2\x89\xA4 0.03</span>"};
  return {"&gt; 0.03"};
}

struct Means {
  double signed_difference = 0;
  double absolute_difference = 0;
  int classes = 0;  // that both predict
  int close = 0;
  int fair = 0;

  void Add(double difference) {
    if (!std::isfinite(difference)) return;
    signed_difference += difference;
    absolute_difference += std::abs(difference);
    ++classes;
    close += std::abs(difference) <= kClose ? 1 : 0;
    fair += std::abs(difference) <= kFair ? 1 : 0;
  }
  double Mean(double sum) const { return classes > 0 ? sum / classes : std::nan(""); }
};

std::vector<TableColumn> PairColumns() {
  return {{"Class", "", Better::kNeither, true},
          {"Share", "% of pixels"},
          {"IoU, teacher", "%"},
          {"IoU, student", "%"},
          {"Difference", "points"},
          {"Uncertainty, teacher", ""},
          {"Uncertainty, student", ""},
          {"Difference", "signed"},
          {"Difference", "absolute"},
          {"Within", "", Better::kNeither, true}};
}

TableRow MeanRow(const EvaluationResult& teacher, const EvaluationResult& student, const KindFigures* z,
                 const KindFigures* q, const Means& means) {
  const double nan = std::nan("");
  TableRow row;
  row.is_total = true;
  row.cells = {TextCell("mean over classes"),
               {""},
               PercentCell(teacher.miou),
               PercentCell(student.miou),
               {SignedDecimal(100 * (student.miou - teacher.miou), 1)},
               NumberCell(z != nullptr ? z->munc_pooled : nan, 3),
               NumberCell(q != nullptr ? q->munc_pooled : nan, 3),
               SignedCell(means.Mean(means.signed_difference), 3),
               NumberCell(means.Mean(means.absolute_difference), 3),
               {""}};
  return row;
}

TableRow BatchRow(const KindFigures* z, const KindFigures* q) {
  const double nan = std::nan("");
  const double teacher = z != nullptr ? z->munc_batch : nan;
  const double student = q != nullptr ? q->munc_batch : nan;
  TableRow row;
  row.is_total = true;
  row.cells = {
      TextCell("mUnc by the authors' code"), {""}, {""}, {""}, {""}, NumberCell(teacher, 3), NumberCell(student, 3),
      SignedCell(student - teacher, 3),      {""}, {""}};
  return row;
}

std::string PairTable(const std::vector<ReportedResult>& results, const std::vector<std::string>& names,
                      const TeacherAndStudent& pair, size_t index) {
  const EvaluationResult& teacher = results[pair.teacher].result;
  const EvaluationResult& student = results[pair.student].result;
  const UncertaintyKind kind = KindOfPair(results, pair);
  const KindFigures* z = FindKind(teacher, kind);
  const KindFigures* q = FindKind(student, kind);
  const std::vector<double> shares = ClassShares(teacher);
  HtmlTable table;
  table.id = absl::StrCat("classes-", index);
  table.columns = PairColumns();
  Means means;
  for (size_t c = 0; c < student.classes.size(); ++c) {
    const double difference = ClassUncertainty(q, c) - ClassUncertainty(z, c);
    means.Add(difference);
    TableRow row;
    row.cells = {TextCell(student.classes[c].name),
                 PercentCell(shares[c]),
                 PercentCell(teacher.class_iou[c]),
                 PercentCell(student.class_iou[c]),
                 SignedCell(100 * (student.class_iou[c] - teacher.class_iou[c]), 1),
                 NumberCell(ClassUncertainty(z, c), 3),
                 NumberCell(ClassUncertainty(q, c), 3),
                 SignedCell(difference, 3),
                 NumberCell(std::abs(difference), 3),
                 MarkCell(difference)};
    table.rows.push_back(std::move(row));
  }
  table.rows.push_back(MeanRow(teacher, student, z, q, means));
  table.rows.push_back(BatchRow(z, q));
  table.caption_html = absl::StrFormat(
      "Teacher <b>%s</b> and student <b>%s</b>: intersection over union and mean %s (%s) of the pixels predicted so. "
      "Differences are the student's figure minus the teacher's; %d of %d classes are within 0.01, %d within 0.03.",
      EscapeHtml(names[pair.teacher]), EscapeHtml(names[pair.student]), UncertaintyKindName(kind),
      UncertaintyKindUnit(kind), means.close, means.classes, means.fair);
  return RenderTable(table);
}

std::string SingleTable(const EvaluationResult& result, const std::string& name, size_t index) {
  const KindFigures* kind = result.kinds.empty() ? nullptr : &result.kinds[0];
  const std::vector<double> shares = ClassShares(result);
  HtmlTable table;
  table.id = absl::StrCat("classes-of-", index);
  table.caption_html =
      absl::StrCat("<b>", EscapeHtml(name), "</b>: intersection over union and mean ",
                   kind != nullptr ? UncertaintyKindName(kind->kind) : "uncertainty", " of the pixels predicted so.");
  table.columns = {{"Class", "", Better::kNeither, true}, {"Share", "% of pixels"}, {"IoU", "%"}, {"Uncertainty", ""}};
  for (size_t c = 0; c < result.classes.size(); ++c) {
    TableRow row;
    row.cells = {TextCell(result.classes[c].name), PercentCell(shares[c]), PercentCell(result.class_iou[c]),
                 NumberCell(ClassUncertainty(kind, c), 3)};
    table.rows.push_back(std::move(row));
  }
  TableRow mean;
  mean.is_total = true;
  mean.cells = {TextCell("mean over classes"),
                {""},
                PercentCell(result.miou),
                NumberCell(kind != nullptr ? kind->munc_pooled : std::nan(""), 3)};
  table.rows.push_back(std::move(mean));
  return RenderTable(table);
}

TableRow FidelityRow(const std::string& name, const FidelityFigures& f) {
  TableRow row;
  // The stored difference is the teacher's minus the student's; the report's is the paper's, the other way round.
  row.cells = {TextCell(name),
               TextCell(f.teacher),
               PercentCell(f.label_agreement),
               NumberCell(f.mae, 4),
               NumberCell(f.rmse, 4),
               NumberCell(f.rmsle, 4),
               NumberCell(f.pearson, 3),
               NumberCell(f.spearman, 3),
               SignedCell(-f.mean_signed_difference, 3),
               NumberCell(f.mean_absolute_difference, 3),
               NumberCell(f.classes_within_001, 0),
               NumberCell(f.classes_within_003, 0)};
  return row;
}

std::string FidelityTable(const std::vector<ReportedResult>& results, const std::vector<std::string>& names) {
  HtmlTable table;
  table.id = "fidelity";
  table.caption_html =
      "How closely each student repeats its teacher, pixel by pixel, void included, kind by kind. The last four are "
      "over classes.";
  table.columns = {{"Student", "", Better::kNeither, true},
                   {"Teacher", "", Better::kNeither, true},
                   {"Same labels", "%", Better::kHigher},
                   {"MAE", "", Better::kLower},
                   {"RMSE", "", Better::kLower},
                   {"RMSLE", "", Better::kLower},
                   {"Pearson", "", Better::kHigher},
                   {"Spearman", "", Better::kHigher},
                   {"Mean difference", "signed"},
                   {"Mean difference", "absolute", Better::kLower},
                   {"Within 0.01", "classes", Better::kHigher},
                   {"Within 0.03", "classes", Better::kHigher}};
  for (const UncertaintyKind kind : kAllUncertaintyKinds) {
    const auto group = static_cast<int>(table.group_names.size());
    const size_t rows_before = table.rows.size();
    for (size_t i = 0; i < results.size(); ++i) {
      for (const FidelityFigures& figures : results[i].result.fidelity) {
        if (figures.kind != kind) continue;
        table.rows.push_back(FidelityRow(names[i], figures));
        table.rows.back().group = group;
      }
    }
    if (table.rows.size() > rows_before) table.group_names.emplace_back(UncertaintyKindName(kind));
  }
  return table.rows.empty() ? "" : RenderTable(table);
}

}  // namespace

std::string ClassSection(const ReportInput& input) {
  if (input.results.empty()) return "";
  std::string html = "<section id=\"classes\">\n<h2>Classes, teacher and student</h2>\n";
  const std::vector<std::string> names = DisplayNames(input.results);
  std::vector<bool> is_shown(input.results.size(), false);
  size_t index = 0;
  for (const TeacherAndStudent& pair : Pairs(input.results)) {
    absl::StrAppend(&html, PairTable(input.results, names, pair, index++));
    is_shown[pair.teacher] = true;
    is_shown[pair.student] = true;
  }
  absl::StrAppend(&html, "<div class=\"side-by-side\">\n");
  for (size_t i = 0; i < input.results.size(); ++i) {
    if (!is_shown[i]) absl::StrAppend(&html, SingleTable(input.results[i].result, names[i], i));
  }
  absl::StrAppend(&html, "</div>\n");
  return absl::StrCat(html, FidelityTable(input.results, names), "</section>\n");
}

}  // namespace candor
