// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/study_json.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

using nlohmann::ordered_json;

ordered_json NumberOrNull(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(); }

}  // namespace

std::string StudyToJson(const std::string& study, const std::vector<StudyRow>& rows) {
  ordered_json document = {{"study", study}};
  if (!rows.empty()) {
    document["data"] = rows[0].result.data;
    document["split"] = rows[0].result.split;
  }
  document["rows"] = ordered_json::array();
  for (const StudyRow& row : rows) {
    const KindFigures& kind = row.result.kinds.at(0);
    document["rows"].push_back({{"name", row.name},
                                {"members", row.result.members},
                                {"uncertainty", std::string(UncertaintyKindName(kind.kind))},
                                {"miou", NumberOrNull(row.result.miou)},
                                {"munc", NumberOrNull(kind.munc_pooled)},
                                {"munc_batch", NumberOrNull(kind.munc_batch)},
                                {"accuracy", NumberOrNull(row.result.accuracy)},
                                {"error_auroc", NumberOrNull(kind.errors.auroc)},
                                {"ece", NumberOrNull(row.result.calibration.ece)}});
  }
  return absl::StrCat(document.dump(2, ' ', false, ordered_json::error_handler_t::replace), "\n");
}

std::string StudyToText(const std::vector<StudyRow>& rows) {
  std::string text = absl::StrFormat("%-28s %7s %7s %7s %9s %11s %7s\n", "model", "members", "mIoU", "mUnc", "accuracy",
                                     "error AUROC", "ECE");
  for (const StudyRow& row : rows) {
    const KindFigures& kind = row.result.kinds.at(0);
    absl::StrAppendFormat(&text, "%-28s %7d %7.4f %7.4f %9.4f %11.4f %7.4f\n", row.name, row.result.members,
                          row.result.miou, kind.munc_pooled, row.result.accuracy, kind.errors.auroc,
                          row.result.calibration.ece);
  }
  return text;
}

}  // namespace candor
