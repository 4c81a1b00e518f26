// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "trainer/train_options.h"

namespace candor {

// The polynomial schedule of DeepLab (Chen et al. 2017): the factor on the first learning rate at `step` of `steps`,
// (1 - (step + phase) / steps) ^ power, never below 0. `phase` 1 is the counter of the DUDES authors' code, whose first
// step is already the second value.
inline double PolyFactor(int64_t step, int64_t steps, double power, int phase) {
  const double rest = 1.0 - static_cast<double>(step + phase) / static_cast<double>(steps);
  return std::pow(std::max(0.0, rest), power);
}

// The cycle, from 0, in which `step` lies: cycle c has the steps from floor(c steps / cycles) up to that of c + 1, so
// that there are `cycles` of them, equal but for a step. `cycles` is at most `steps`.
inline int64_t CycleOf(int64_t step, int64_t steps, int cycles) { return ((step + 1) * cycles - 1) / steps; }

// Whether a cycle ends once `done` steps are done.
inline bool IsCycleEnd(int64_t done, int64_t steps, int cycles) {
  return done > 0 && CycleOf(done, steps, cycles) != CycleOf(done - 1, steps, cycles);
}

// Huang et al. 2017, equation 2: half a cosine from 1 towards 0 in every cycle.
inline double CyclicFactor(int64_t step, int64_t steps, int cycles) {
  const int64_t cycle = CycleOf(step, steps, cycles);
  const int64_t begin = cycle * steps / cycles;
  const int64_t end = (cycle + 1) * steps / cycles;
  return (std::cos(M_PI * static_cast<double>(step - begin) / static_cast<double>(end - begin)) + 1) / 2;
}

// Maddox et al. 2019 ask for a high constant rate at the end: poly from 1 to `tail_factor` in the first 1 - tail_share
// of the steps, then tail_factor.
inline double TailFactor(int64_t step, int64_t steps, const OptimizerOptions& options) {
  const int64_t begin = std::llround((1 - options.tail_share) * static_cast<double>(steps));
  if (step >= begin) return options.tail_factor;
  const double poly = PolyFactor(step, begin, options.poly_power, options.poly_phase);
  return options.tail_factor + (1 - options.tail_factor) * poly;
}

// The factor on the first learning rate at `step` (from 0) of `steps`.
inline double LearningFactor(int64_t step, int64_t steps, const OptimizerOptions& options) {
  switch (options.schedule) {
    case LearningSchedule::kCyclic:
      return CyclicFactor(step, steps, options.cycles);
    case LearningSchedule::kConstantTail:
      return TailFactor(step, steps, options);
    case LearningSchedule::kPoly:
      break;
  }
  return PolyFactor(step, steps, options.poly_power, options.poly_phase);
}

}  // namespace candor
