// SPDX-License-Identifier: Apache-2.0
#include "core/model/uncertainty_kind.h"

#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace candor {

absl::string_view UncertaintyKindName(UncertaintyKind kind) {
  switch (kind) {
    case UncertaintyKind::kPredictiveStddev:
      return "predictive_stddev";
    case UncertaintyKind::kPredictiveEntropy:
      return "predictive_entropy";
    case UncertaintyKind::kExpectedEntropy:
      return "expected_entropy";
    case UncertaintyKind::kMutualInformation:
      return "mutual_information";
    case UncertaintyKind::kMaxProbability:
      return "max_probability";
    case UncertaintyKind::kMargin:
      return "margin";
    case UncertaintyKind::kDisagreement:
      return "disagreement";
    case UncertaintyKind::kEnergy:
      return "energy";
    case UncertaintyKind::kFeatureDensity:
      return "feature_density";
  }
  return "unknown";
}

absl::StatusOr<UncertaintyKind> ParseUncertaintyKind(absl::string_view name) {
  for (UncertaintyKind kind : kAllUncertaintyKinds) {
    if (UncertaintyKindName(kind) == name) return kind;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "uncertainty kind: must be one of ",
      absl::StrJoin(kAllUncertaintyKinds, ", ",
                    [](std::string* out, UncertaintyKind kind) { absl::StrAppend(out, UncertaintyKindName(kind)); }),
      ", is \"", absl::Utf8SafeCHexEscape(name), "\""));
}

absl::string_view UncertaintyKindUnit(UncertaintyKind kind) {
  switch (kind) {
    case UncertaintyKind::kPredictiveEntropy:
    case UncertaintyKind::kExpectedEntropy:
    case UncertaintyKind::kMutualInformation:
      return "nats";
    case UncertaintyKind::kPredictiveStddev:
    case UncertaintyKind::kMaxProbability:
    case UncertaintyKind::kMargin:
    case UncertaintyKind::kDisagreement:
      return "probability";
    case UncertaintyKind::kEnergy:
    case UncertaintyKind::kFeatureDensity:
      return "score";
  }
  return "unknown";
}

float UncertaintyKindMax(UncertaintyKind kind, int classes) {
  return UncertaintyKindUnit(kind) == "nats" ? std::log(static_cast<float>(classes)) : 1.0f;
}

}  // namespace candor
