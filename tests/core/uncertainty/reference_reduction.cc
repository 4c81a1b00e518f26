// SPDX-License-Identifier: Apache-2.0
#include "tests/core/uncertainty/reference_reduction.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace candor {
namespace {

double Entropy(const std::vector<double>& p) {
  double sum = 0;
  for (const double q : p) sum -= q > 0 ? q * std::log(q) : 0;
  return sum;
}

std::vector<double> Softmax(std::vector<double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double& value : logits) sum += value = std::exp(value - largest);
  for (double& value : logits) value /= sum;
  return logits;
}

// Share of unordered pairs of members whose labels differ, counted pair by pair.
double Disagreement(const std::vector<std::vector<double>>& members) {
  std::vector<int> labels;
  for (const auto& p : members) {
    labels.push_back(static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin()));
  }
  int pairs = 0;
  int different = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t j = 0; j < i; ++j, ++pairs) different += labels[i] != labels[j];
  }
  return pairs > 0 ? static_cast<double>(different) / pairs : 0;
}

}  // namespace

ScoreGrid RandomScores(int members, int classes, int height, int width, double spread, unsigned seed) {
  ScoreGrid grid{members, classes, height, width, {}};
  std::mt19937 generator(seed);
  // Sums of uniform numbers: std::normal_distribution differs between libraries.
  grid.values.resize(static_cast<size_t>(members) * classes * height * width);
  for (float& value : grid.values) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(generator()) / 4294967296.0;
    value = static_cast<float>((sum - 6) * spread);
  }
  return grid;
}

double ReferenceSample(const ScoreGrid& scores, int m, int c, int y, int x) {
  const double source_y = scores.height > 1 ? y * (scores.height - 1.0) / (4.0 * scores.height - 1) : 0;
  const double source_x = scores.width > 1 ? x * (scores.width - 1.0) / (4.0 * scores.width - 1) : 0;
  const int top = std::min(static_cast<int>(source_y), scores.height - 1);
  const int left = std::min(static_cast<int>(source_x), scores.width - 1);
  const int bottom = std::min(top + 1, scores.height - 1);
  const int right = std::min(left + 1, scores.width - 1);
  const double fy = source_y - top;
  const double fx = source_x - left;
  return (1 - fy) * ((1 - fx) * scores.at(m, c, top, left) + fx * scores.at(m, c, top, right)) +
         fy * ((1 - fx) * scores.at(m, c, bottom, left) + fx * scores.at(m, c, bottom, right));
}

ReferencePixel ReferenceReduce(const ScoreGrid& scores, int y, int x) {
  std::vector<std::vector<double>> members;
  std::vector<double> mean(scores.classes);
  double expected_entropy = 0;
  for (int m = 0; m < scores.members; ++m) {
    std::vector<double> logits;
    for (int c = 0; c < scores.classes; ++c) logits.push_back(ReferenceSample(scores, m, c, y, x));
    members.push_back(Softmax(logits));
    expected_entropy += Entropy(members.back()) / scores.members;
    for (int c = 0; c < scores.classes; ++c) mean[c] += members.back()[c] / scores.members;
  }
  ReferencePixel pixel;
  pixel.label = static_cast<int>(std::max_element(mean.begin(), mean.end()) - mean.begin());
  std::vector<double> sorted = mean;
  std::sort(sorted.rbegin(), sorted.rend());
  pixel.probabilities = mean;
  pixel.lead = sorted[0] - sorted[1];
  double squares = 0;
  for (const auto& p : members) squares += std::pow(p[pixel.label] - mean[pixel.label], 2);
  const auto set = [&](UncertaintyKind kind, double value) { pixel.kinds[static_cast<int>(kind)] = value; };
  set(UncertaintyKind::kPredictiveStddev, scores.members > 1 ? std::sqrt(squares / (scores.members - 1)) : 0);
  set(UncertaintyKind::kPredictiveEntropy, Entropy(mean));
  set(UncertaintyKind::kExpectedEntropy, expected_entropy);
  set(UncertaintyKind::kMutualInformation, Entropy(mean) - expected_entropy);
  set(UncertaintyKind::kMaxProbability, 1 - sorted[0]);
  set(UncertaintyKind::kMargin, 1 - pixel.lead);
  set(UncertaintyKind::kDisagreement, Disagreement(members));
  for (auto& p : members) {
    std::sort(p.rbegin(), p.rend());
    pixel.least_member_lead = std::min(pixel.least_member_lead, p[0] - p[1]);
  }
  return pixel;
}

}  // namespace candor
