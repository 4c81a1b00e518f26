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
  kEnergy,             // -logsumexp of the scores, squashed: sigmoid of its distance from validation data's median
  kFeatureDensity,     // minus the log density of the decoder's features, squashed likewise
};

inline constexpr std::array<UncertaintyKind, 9> kAllUncertaintyKinds = {
    UncertaintyKind::kPredictiveStddev, UncertaintyKind::kPredictiveEntropy,
    UncertaintyKind::kExpectedEntropy,  UncertaintyKind::kMutualInformation,
    UncertaintyKind::kMaxProbability,   UncertaintyKind::kMargin,
    UncertaintyKind::kDisagreement,     UncertaintyKind::kEnergy,
    UncertaintyKind::kFeatureDensity};

// Those that several predictions give.
inline constexpr std::array<UncertaintyKind, 7> kMemberUncertaintyKinds = {UncertaintyKind::kPredictiveStddev,
                                                                           UncertaintyKind::kPredictiveEntropy,
                                                                           UncertaintyKind::kExpectedEntropy,
                                                                           UncertaintyKind::kMutualInformation,
                                                                           UncertaintyKind::kDisagreement,
                                                                           UncertaintyKind::kMaxProbability,
                                                                           UncertaintyKind::kMargin};

// "predictive_stddev" and so on; never fails.
absl::string_view UncertaintyKindName(UncertaintyKind kind);

// InvalidArgument names the value and lists all kinds.
absl::StatusOr<UncertaintyKind> ParseUncertaintyKind(absl::string_view name);

// "probability", "nats", or "score" for one that only orders pixels.
absl::string_view UncertaintyKindUnit(UncertaintyKind kind);

// Upper bound of the kind's values for a model of `classes` classes: ln(classes) for entropies, else 1. The lower is 0.
float UncertaintyKindMax(UncertaintyKind kind, int classes);

}  // namespace candor
