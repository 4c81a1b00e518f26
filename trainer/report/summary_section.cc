// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "absl/strings/str_cat.h"
#include "trainer/report/html.h"
#include "trainer/report/html_table.h"
#include "trainer/report/result_relations.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

// Where cells name their kind.
constexpr size_t kFirstKindColumn = 10;
constexpr size_t kBestKindColumn = 11;

std::vector<TableColumn> SummaryColumns() {
  return {{"Model", "", Better::kNeither, true},
          {"Kind", "", Better::kNeither, true},
          {"Members", ""},
          {"Width", "channels"},
          {"mIoU", "%", Better::kHigher},
          {"Accuracy", "%", Better::kHigher},
          {"mUnc", "default kind"},
          {"ECE", "", Better::kLower},
          {"NLL", "nats", Better::kLower},
          {"Brier", "", Better::kLower},
          {"Error AUROC", "default kind", Better::kHigher},
          {"Error AUROC", "best kind", Better::kHigher},
          {"AURC", "default kind", Better::kLower}};
}

TableRow SummaryRow(const EvaluationResult& result, const std::string& name, int group) {
  const double nan = std::nan("");
  const KindFigures* first = result.kinds.empty() ? nullptr : &result.kinds[0];
  const KindFigures* best = BestKind(result);
  TableRow row;
  row.group = group;
  row.cells = {TextCell(name),
               TextCell(ModelKindName(result.kind)),
               CountCell(result.members),
               CountCell(result.width),
               PercentCell(result.miou),
               PercentCell(result.accuracy),
               NumberCell(first != nullptr ? first->munc_pooled : nan, 3),
               NumberCell(result.calibration.ece, 4),
               NumberCell(result.calibration.nll, 3),
               NumberCell(result.calibration.brier, 3),
               NumberCell(first != nullptr ? first->errors.auroc : nan, 3),
               NumberCell(best != nullptr ? best->errors.auroc : nan, 3),
               NumberCell(first != nullptr ? first->risk_coverage.aurc : nan, 4)};
  if (first != nullptr) row.cells[kFirstKindColumn].note = std::string(UncertaintyKindName(first->kind));
  if (best != nullptr) row.cells[kBestKindColumn].note = std::string(UncertaintyKindName(best->kind));
  return row;
}

}  // namespace

std::string SummarySection(const ReportInput& input) {
  std::string html = "<section id=\"summary\">\n<h2>Summary</h2>\n";
  if (input.results.empty()) return absl::StrCat(html, "<p>No evaluation was given.</p>\n</section>\n");
  absl::StrAppend(&html,
                  "<p>One row a model. Higher mIoU and accuracy mean better labels; lower ECE, NLL and Brier mean that "
                  "confidence can be taken at its word; a higher error AUROC and a lower AURC mean that uncertainty "
                  "points at the wrong pixels. mUnc has no better side: a student's should equal its teacher's.</p>\n");
  HtmlTable table;
  table.id = "summary-table";
  table.caption_html =
      "Summary. The best figure of each column is <b class=\"best-sample\">marked</b> among models on the same "
      "pictures.";
  table.columns = SummaryColumns();
  const std::vector<std::string> names = DisplayNames(input.results);
  int group = 0;
  for (const std::vector<size_t>& members : DataGroups(input.results)) {
    const EvaluationResult& first = input.results[members[0]].result;
    table.group_names.push_back(absl::StrCat(first.data, ", ", first.split, ": ", Count(first.pictures), " pictures"));
    for (const size_t i : members) table.rows.push_back(SummaryRow(input.results[i].result, names[i], group));
    ++group;
  }
  return absl::StrCat(html, RenderTable(table), "</section>\n");
}

}  // namespace candor
