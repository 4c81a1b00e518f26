// SPDX-License-Identifier: Apache-2.0
//
// The vocabulary of uncertainty: names, units and ranges. The formulas are in core/uncertainty/formulas-inl.h.
#pragma once

#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

enum class UncertaintyKind {
  kPredictiveStddev,   // sample standard deviation over members of p_m at the label's class
  kPredictiveEntropy,  // H[p]
  kExpectedEntropy,    // mean_m H[p_m]
  kMutualInformation,  // H[p] - mean_m H[p_m]
  kMaxProbability,     // 1 - max p
  kMargin,             // 1 - (p1 - p2)
  kDisagreement,       // share of pairs of members whose labels differ
};

inline constexpr std::array<UncertaintyKind, 7> kAllUncertaintyKinds = {
    UncertaintyKind::kPredictiveStddev,  UncertaintyKind::kPredictiveEntropy, UncertaintyKind::kExpectedEntropy,
    UncertaintyKind::kMutualInformation, UncertaintyKind::kMaxProbability,    UncertaintyKind::kMargin,
    UncertaintyKind::kDisagreement};

// "predictive_stddev" and so on; never fails.
absl::string_view UncertaintyKindName(UncertaintyKind kind);

// InvalidArgument names the value and lists all kinds.
absl::StatusOr<UncertaintyKind> ParseUncertaintyKind(absl::string_view name);

// "probability" or "nats".
absl::string_view UncertaintyKindUnit(UncertaintyKind kind);

// Upper bound of the kind's values for a model of `classes` classes: ln(classes) for entropies, else 1. The lower is 0.
float UncertaintyKindMax(UncertaintyKind kind, int classes);

}  // namespace candor
