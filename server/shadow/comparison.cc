// SPDX-License-Identifier: Apache-2.0
#include "server/shadow/comparison.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace candor {
namespace {

double Mean(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

Comparison Compare(const Segmentation& a, const Segmentation& b) {
  const auto pixels = static_cast<double>(a.labels.size());
  double equal = 0;
  for (size_t i = 0; i < a.labels.size(); ++i) equal += a.labels[i] == b.labels[i] ? 1 : 0;

  const std::vector<float>& x = a.kinds[0].map;
  const std::vector<float>& y = b.kinds[0].map;
  const double mean_x = Mean(x);
  const double mean_y = Mean(y);
  double squares = 0;
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x;
    const double dy = y[i] - mean_y;
    squares += static_cast<double>(x[i] - y[i]) * (x[i] - y[i]);
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  Comparison result;
  result.agreement = equal / pixels;
  result.rmse = std::sqrt(squares / pixels);
  if (xx > 0 && yy > 0) result.correlation = std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
  return result;
}

}  // namespace candor
