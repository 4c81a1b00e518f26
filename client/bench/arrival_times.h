// SPDX-License-Identifier: Apache-2.0
//
// When calls of an open loop are due.
#pragma once

#include <cstdint>
#include <random>

#include "client/bench/load_plan.h"

namespace candor {

// The same times for the same mode, rate and seed, on every machine.
class ArrivalTimes {
 public:
  // `mode` is kPoisson or kConstant, `rate` > 0 a second.
  ArrivalTimes(LoadMode mode, double rate, uint64_t seed) : mode_(mode), rate_(rate), random_(seed) {}

  // Seconds from the start of the load to the next call; never less than the one before.
  double Next();

 private:
  const LoadMode mode_;
  const double rate_;
  std::mt19937_64 random_;
  int64_t count_ = 0;
  double last_s_ = 0;
};

}  // namespace candor
