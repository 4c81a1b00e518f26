// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "absl/strings/str_cat.h"
#include "trainer/report/html.h"
#include "trainer/report/html_table.h"
#include "trainer/report/result_relations.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

// The rule of the median of each picture, the papers' usual one; else the first there is.
const AccuracyVersusUncertainty* UsualRule(const KindFigures& kind) {
  for (const AccuracyVersusUncertainty& figures : kind.accuracy_versus_uncertainty) {
    if (figures.rule == "median") return &figures;
  }
  return kind.accuracy_versus_uncertainty.empty() ? nullptr : &kind.accuracy_versus_uncertainty[0];
}

TableRow ErrorRow(const KindFigures& kind, int group) {
  const double nan = std::nan("");
  const AccuracyVersusUncertainty* rule = UsualRule(kind);
  TableRow row;
  row.group = group;
  row.cells = {TextCell(UncertaintyKindName(kind.kind)),
               NumberCell(kind.errors.auroc, 3),
               NumberCell(kind.errors.aupr, 3),
               NumberCell(kind.errors.fpr95, 3),
               NumberCell(kind.risk_coverage.aurc, 4),
               NumberCell(kind.risk_coverage.e_aurc, 4),
               NumberCell(kind.sparsification.ause, 4),
               NumberCell(kind.rejection.area, 3),
               NumberCell(rule != nullptr ? rule->accurate_if_certain : nan, 3),
               NumberCell(rule != nullptr ? rule->uncertain_if_inaccurate : nan, 3),
               NumberCell(rule != nullptr ? rule->pavpu : nan, 3),
               NumberCell(rule != nullptr ? rule->patch_pavpu : nan, 3)};
  return row;
}

std::string ErrorTable(const std::vector<ReportedResult>& results, const std::vector<std::string>& names) {
  HtmlTable table;
  table.id = "error-detection";
  table.caption_html =
      "Finding wrong pixels by uncertainty. A model's default kind comes first; the best kind of each model is "
      "<b class=\"best-sample\">marked</b>. The last four part certain from uncertain pixels at each picture's median.";
  table.columns = {{"Kind", "", Better::kNeither, true}, {"AUROC", "", Better::kHigher},
                   {"AUPR", "errors", Better::kHigher},  {"FPR95", "", Better::kLower},
                   {"AURC", "", Better::kLower},         {"E-AURC", "", Better::kLower},
                   {"AUSE", "", Better::kLower},         {"Rejection", "area, mIoU", Better::kHigher},
                   {"p(acc|cer)", "", Better::kHigher},  {"p(unc|inacc)", "", Better::kHigher},
                   {"PAvPU", "pixels", Better::kHigher}, {"PAvPU", "4 \xC3\x97 4", Better::kHigher}};
  table.group_names = names;
  for (size_t i = 0; i < results.size(); ++i) {
    for (const KindFigures& kind : results[i].result.kinds) {
      table.rows.push_back(ErrorRow(kind, static_cast<int>(i)));
    }
  }
  return RenderTable(table);
}

std::string UnknownTable(const std::vector<ReportedResult>& results, const std::vector<std::string>& names) {
  HtmlTable table;
  table.id = "unknown-detection";
  table.caption_html =
      "Finding objects of no known class by uncertainty, on the data sets that mark them. The best kind of each model "
      "is <b class=\"best-sample\">marked</b>.";
  table.columns = {{"Kind", "", Better::kNeither, true},
                   {"AUROC", "", Better::kHigher},
                   {"AUPR", "unknown", Better::kHigher},
                   {"AUPR", "known", Better::kHigher},
                   {"FPR95", "", Better::kLower},
                   {"Unknown", "pixels"},
                   {"Known", "pixels"}};
  table.group_names = names;
  for (size_t i = 0; i < results.size(); ++i) {
    for (const KindFigures& kind : results[i].result.kinds) {
      if (!kind.unknown.has_value()) continue;
      const DetectionFigures& figures = *kind.unknown;
      TableRow row;
      row.group = static_cast<int>(i);
      row.cells = {TextCell(UncertaintyKindName(kind.kind)),
                   NumberCell(figures.auroc, 3),
                   NumberCell(figures.aupr, 3),
                   NumberCell(figures.aupr_negative, 3),
                   NumberCell(figures.fpr95, 3),
                   CountCell(figures.positives),
                   CountCell(figures.negatives)};
      table.rows.push_back(std::move(row));
    }
  }
  return table.rows.empty() ? "" : RenderTable(table);
}

std::string CalibrationTable(const std::vector<ReportedResult>& results, const std::vector<std::string>& names) {
  HtmlTable table;
  table.id = "calibration";
  table.caption_html =
      "Calibration of the label's confidence. The best of each column is <b class=\"best-sample\">marked</b> among "
      "models on the same pictures.";
  table.columns = {
      {"Model", "", Better::kNeither, true}, {"ECE", "15 bins", Better::kLower}, {"ECE", "equal mass", Better::kLower},
      {"ECE", "class-wise", Better::kLower}, {"MCE", "", Better::kLower},        {"RMSCE", "", Better::kLower},
      {"NLL", "nats", Better::kLower},       {"Brier", "", Better::kLower},      {"RSS", "", Better::kHigher}};
  int group = 0;
  const std::vector<std::vector<size_t>> groups = DataGroups(results);
  for (const std::vector<size_t>& members : groups) {
    const EvaluationResult& first = results[members[0]].result;
    if (groups.size() > 1) table.group_names.push_back(absl::StrCat(first.data, ", ", first.split));
    for (const size_t i : members) {
      const CalibrationFigures& figures = results[i].result.calibration;
      TableRow row;
      row.group = group;
      row.cells = {TextCell(names[i]),
                   NumberCell(figures.ece, 4),
                   NumberCell(figures.adaptive_ece, 4),
                   NumberCell(figures.classwise_ece, 4),
                   NumberCell(figures.mce, 3),
                   NumberCell(figures.rmsce, 4),
                   NumberCell(figures.nll, 3),
                   NumberCell(figures.brier, 3),
                   NumberCell(results[i].result.rss, 3)};
      table.rows.push_back(std::move(row));
    }
    ++group;
  }
  return RenderTable(table);
}

}  // namespace

std::string DetectionSection(const ReportInput& input) {
  if (input.results.empty()) return "";
  const std::vector<std::string> names = DisplayNames(input.results);
  return absl::StrCat("<section id=\"detection\">\n<h2>What uncertainty finds</h2>\n", ErrorTable(input.results, names),
                      UnknownTable(input.results, names), CalibrationTable(input.results, names), "</section>\n");
}

}  // namespace candor
