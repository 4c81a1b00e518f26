// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/risk_coverage.h"

#include <cmath>
#include <limits>
#include <vector>

namespace candor {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kCurveSteps = 100;

// psi(x), the digamma function, x >= 1: shifted to x >= 10, then the asymptotic series (Abramowitz and Stegun 6.3.18).
double Digamma(double x) {
  double shift = 0;
  for (; x < 10; ++x) shift += 1 / x;
  const double r = 1 / (x * x);
  return std::log(x) - 0.5 / x - r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r / 132)))) - shift;
}

// Sum of 1/k for k = from + 1 .. from + count.
double HarmonicSum(double from, double count) {
  if (count <= 16) {
    double sum = 0;
    for (double k = 1; k <= count; ++k) sum += 1 / (from + k);
    return sum;
  }
  return Digamma(from + count + 1) - Digamma(from + 1);
}

struct Areas {
  double risk = 0;
  double generalised_risk = 0;
};

int64_t PixelsIn(absl::Span<const ScoreBin> bins) {
  int64_t sum = 0;
  for (const ScoreBin& bin : bins) sum += bin.positives + bin.negatives;
  return sum;
}

int64_t ErrorsIn(absl::Span<const ScoreBin> bins) {
  int64_t sum = 0;
  for (const ScoreBin& bin : bins) sum += bin.positives;
  return sum;
}

// Trapezoids over k = 1 .. n: all values, less half the first and the last. In a bin of m pixels with error rate r
// after K pixels with E errors, the risk at K + j is (E + j r) / (K + j) = r + (E - r K) / (K + j).
Areas AreasOf(absl::Span<const ScoreBin> bins) {
  const auto n = static_cast<double>(PixelsIn(bins));
  double before = 0;
  double errors = 0;
  double risk_sum = 0;
  double generalised_sum = 0;
  double first = kNaN;
  for (const ScoreBin& bin : bins) {
    const auto m = static_cast<double>(bin.positives + bin.negatives);
    if (m == 0) continue;
    const double r = static_cast<double>(bin.positives) / m;
    if (before == 0) first = r;
    risk_sum += r * m + (errors - r * before) * HarmonicSum(before, m);
    generalised_sum += (m * errors + r * m * (m + 1) / 2) / n;
    before += m;
    errors += static_cast<double>(bin.positives);
  }
  const double last = errors / n;
  return {(risk_sum - (first + last) / 2) / (n - 1), (generalised_sum - (first / n + last) / 2) / (n - 1)};
}

// Error rates at coverages 0.01, 0.02, ... 1.
std::vector<double> RisksOf(absl::Span<const ScoreBin> bins) {
  const auto n = static_cast<double>(PixelsIn(bins));
  std::vector<double> risks;
  double before = 0;
  double errors = 0;
  int step = 1;
  for (const ScoreBin& bin : bins) {
    const auto m = static_cast<double>(bin.positives + bin.negatives);
    if (m == 0) continue;
    for (; step <= kCurveSteps && n * step / kCurveSteps <= before + m; ++step) {
      const double kept = n * step / kCurveSteps;
      risks.push_back((errors + (kept - before) * static_cast<double>(bin.positives) / m) / kept);
    }
    before += m;
    errors += static_cast<double>(bin.positives);
  }
  return risks;
}

// All errors last.
std::vector<ScoreBin> OracleOf(absl::Span<const ScoreBin> bins) {
  const int64_t errors = ErrorsIn(bins);
  return {{0, PixelsIn(bins) - errors}, {errors, 0}};
}

std::vector<CurvePoint> DroppedCurve(const std::vector<double>& risks) {
  std::vector<CurvePoint> curve;
  for (int step = 0; step < kCurveSteps; ++step) {
    curve.push_back({static_cast<double>(step) / kCurveSteps, risks[kCurveSteps - 1 - step]});
  }
  return curve;
}

}  // namespace

RiskCoverage RiskCoverageOf(absl::Span<const ScoreBin> bins) {
  RiskCoverage figures;
  if (PixelsIn(bins) < 2) {
    figures.aurc = figures.e_aurc = figures.augrc = kNaN;
    return figures;
  }
  const Areas areas = AreasOf(bins);
  figures.aurc = areas.risk;
  figures.augrc = areas.generalised_risk;
  figures.e_aurc = areas.risk - AreasOf(OracleOf(bins)).risk;
  const std::vector<double> risks = RisksOf(bins);
  for (int step = 1; step <= kCurveSteps; ++step) {
    figures.curve.push_back({static_cast<double>(step) / kCurveSteps, risks[step - 1]});
  }
  return figures;
}

Sparsification SparsificationOf(absl::Span<const ScoreBin> bins) {
  Sparsification figures;
  const auto n = static_cast<double>(PixelsIn(bins));
  if (n < 2) {
    figures.ause = kNaN;
    return figures;
  }
  const std::vector<ScoreBin> oracle = OracleOf(bins);
  const double error_rate = static_cast<double>(ErrorsIn(bins)) / n;
  figures.ause = error_rate == 0 ? kNaN : (AreasOf(bins).risk - AreasOf(oracle).risk) * (1 - 1 / n) / error_rate;
  figures.curve = DroppedCurve(RisksOf(bins));
  figures.oracle = DroppedCurve(RisksOf(oracle));
  return figures;
}

}  // namespace candor
