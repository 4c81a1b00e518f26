// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/known_answer.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_format.h"

namespace candor {
namespace {

constexpr double kLeastEqualLabels = 0.99;
constexpr double kLargestMeanDifference = 0.01;

}  // namespace

KnownAnswer KnownAnswerFrom(const Segmentation& answer, int classes) {
  KnownAnswer known;
  known.labels = answer.labels;
  const KindResult& result = answer.kinds[0];
  const float scale = 255.0f / UncertaintyKindMax(result.statistics.kind, classes);
  for (const float u : result.map) {
    known.uncertainty.push_back(static_cast<uint8_t>(std::min(255.0f, std::round(u * scale))));
  }
  return known;
}

absl::Status CheckKnownAnswer(const KnownAnswer& expected, const KnownAnswer& actual) {
  const size_t pixels = expected.labels.size();
  size_t equal = 0;
  int64_t difference = 0;
  for (size_t i = 0; i < pixels; ++i) {
    equal += expected.labels[i] == actual.labels[i];
    difference += std::abs(static_cast<int>(expected.uncertainty[i]) - static_cast<int>(actual.uncertainty[i]));
  }
  const double share = static_cast<double>(equal) / static_cast<double>(pixels);
  const double mean = static_cast<double>(difference) / (255.0 * static_cast<double>(pixels));
  if (share >= kLeastEqualLabels && mean <= kLargestMeanDifference) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("known answer: %.2f %% of the labels are equal (at least %.0f %% must be) and the uncertainty "
                      "differs by %.4f of its range on average (at most %.2f allowed)",
                      100 * share, 100 * kLeastEqualLabels, mean, kLargestMeanDifference));
}

}  // namespace candor
