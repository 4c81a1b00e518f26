// SPDX-License-Identifier: Apache-2.0
#include "core/model/precision.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace candor {

absl::StatusOr<Precision> ParsePrecision(absl::string_view name) {
  for (const Precision precision : {Precision::kAuto, Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    if (PrecisionName(precision) == name) return precision;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("precision: must be auto, fp32, bf16 or int8, got \"", absl::Utf8SafeCHexEscape(name), "\""));
}

absl::string_view PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kAuto:
      return "auto";
    case Precision::kFp32:
      return "fp32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
  }
  return "unknown";
}

}  // namespace candor
