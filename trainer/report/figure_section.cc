// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "trainer/report/charts.h"
#include "trainer/report/html.h"
#include "trainer/report/result_relations.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

// Bars of teachers beside their students, and of the other models by themselves.
std::string ClassCharts(const ReportInput& input, const std::vector<std::string>& names) {
  std::string html;
  std::vector<bool> is_shown(input.results.size(), false);
  const auto add = [&](const std::vector<size_t>& members, UncertaintyKind kind) {
    const ChartSource source = {input.results, names, members, absl::StrCat("c", members.front(), "-", members.back())};
    absl::StrAppend(&html, ClassFigures(source, kind));
    for (const size_t i : members) is_shown[i] = true;
  };
  for (const TeacherAndStudent& pair : Pairs(input.results)) {
    add({pair.teacher, pair.student}, KindOfPair(input.results, pair));
  }
  for (size_t i = 0; i < input.results.size(); ++i) {
    const EvaluationResult& result = input.results[i].result;
    if (!is_shown[i] && !result.kinds.empty()) add({i}, result.kinds[0].kind);
  }
  return html;
}

}  // namespace

std::string FigureSection(const ReportInput& input) {
  if (input.results.empty()) return "";
  const std::vector<std::string> names = DisplayNames(input.results);
  const std::vector<std::vector<size_t>> groups = DataGroups(input.results);
  std::string html =
      "<section id=\"figures\">\n<h2>Figures</h2>\n<p>Each model by its default kind of uncertainty.</p>\n";
  for (size_t g = 0; g < groups.size(); ++g) {
    const EvaluationResult& first = input.results[groups[g][0]].result;
    const ChartSource source = {input.results, names, groups[g], absl::StrCat("g", g)};
    absl::StrAppend(&html, "<h3>All models on ", EscapeHtml(first.data), ", ", EscapeHtml(first.split),
                    "</h3>\n<div class=\"figures\">\n", RejectionFigures(source), RiskCoverageFigure(source),
                    HistogramFigures(source), "</div>\n");
  }
  absl::StrAppend(&html, "<h3>Class by class</h3>\n<div class=\"figures\">\n", ClassCharts(input, names), "</div>\n",
                  "<h3>Model by model</h3>\n<div class=\"figures\">\n");
  for (size_t i = 0; i < input.results.size(); ++i) {
    const EvaluationResult& result = input.results[i].result;
    const std::string id = absl::StrCat("m", i);
    absl::StrAppend(&html, ReliabilityFigure(result, names[i], id), SparsificationFigure(result, names[i], id));
  }
  for (size_t i = 0; i < input.results.size(); ++i) {
    absl::StrAppend(&html, ConfusionFigure(input.results[i].result, names[i], absl::StrCat("m", i)));
  }
  return absl::StrCat(html, "</div>\n</section>\n");
}

}  // namespace candor
