// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

absl::Status CheckLength(const EvaluationResult& result, absl::string_view what, size_t length, size_t expected) {
  if (length == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(result.model, ": ", what, ": must have ", expected, " entries, got ", length));
}

}  // namespace

absl::Status CheckResult(const EvaluationResult& result) {
  const size_t classes = result.classes.size();
  RETURN_IF_ERROR(CheckLength(result, "class_iou", result.class_iou.size(), classes));
  RETURN_IF_ERROR(CheckLength(result, "confusion", result.confusion.size(), classes));
  for (const std::vector<int64_t>& row : result.confusion) {
    RETURN_IF_ERROR(CheckLength(result, "confusion row", row.size(), classes));
  }
  for (const KindFigures& kind : result.kinds) {
    const std::string path = absl::StrCat("kinds.", UncertaintyKindName(kind.kind));
    RETURN_IF_ERROR(CheckLength(result, absl::StrCat(path, ".class_pooled"), kind.class_pooled.size(), classes));
    const size_t steps = kind.rejection.dropped.size();
    for (const auto* values : {&kind.rejection.miou_present, &kind.rejection.miou_all, &kind.rejection.accuracy}) {
      RETURN_IF_ERROR(CheckLength(result, absl::StrCat(path, ".rejection"), values->size(), steps));
    }
  }
  return absl::OkStatus();
}

}  // namespace candor
