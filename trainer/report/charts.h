// SPDX-License-Identifier: Apache-2.0
//
// The figures of evaluations: results to figure elements with a chart and its caption. `members` are indices of results
// on the same pictures, `names` their display names; `id` is put before the ids of the charts' elements.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "trainer/report/report.h"

namespace candor {

struct ChartSource {
  const std::vector<ReportedResult>& results;
  const std::vector<std::string>& names;
  const std::vector<size_t>& members;
  std::string id;
};

// Figure 4 of DUDES in two panels, one for each way to take the mean over classes, and a third of accuracy.
std::string RejectionFigures(const ChartSource& source);
std::string RiskCoverageFigure(const ChartSource& source);
// One figure for each kind that is a model's default, since kinds differ in range.
std::string HistogramFigures(const ChartSource& source);
// Of one model each.
std::string ReliabilityFigure(const EvaluationResult& result, const std::string& name, const std::string& id);
std::string SparsificationFigure(const EvaluationResult& result, const std::string& name, const std::string& id);
std::string ConfusionFigure(const EvaluationResult& result, const std::string& name, const std::string& id);
// Class by class: intersection over union, and uncertainty of the kind, of up to four models.
std::string ClassFigures(const ChartSource& source, UncertaintyKind kind);

}  // namespace candor
