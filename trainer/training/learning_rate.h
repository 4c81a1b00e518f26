// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace candor {

// The polynomial schedule of DeepLab (Chen et al. 2017): the factor on the first learning rate at `step` of `steps`,
// (1 - (step + phase) / steps) ^ power, never below 0. `phase` 1 is the counter of the DUDES authors' code, whose first
// step is already the second value.
inline double PolyFactor(int64_t step, int64_t steps, double power, int phase) {
  const double rest = 1.0 - static_cast<double>(step + phase) / static_cast<double>(steps);
  return std::pow(std::max(0.0, rest), power);
}

}  // namespace candor
