// SPDX-License-Identifier: Apache-2.0
//
// Gaps of a Poisson process are exponential: -ln(1 - u) / rate. std::exponential_distribution differs among libraries.
#include "client/bench/arrival_times.h"

#include <cmath>

namespace candor {

double ArrivalTimes::Next() {
  if (mode_ == LoadMode::kConstant) return static_cast<double>(count_++) / rate_;
  const double u = static_cast<double>(random_() >> 11U) * 0x1p-53;  // in [0, 1)
  last_s_ -= std::log1p(-u) / rate_;
  return last_s_;
}

}  // namespace candor
