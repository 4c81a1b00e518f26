// SPDX-License-Identifier: Apache-2.0
//
// `candor bench`: puts a load on a server and reports how it fared.
#pragma once

#include <string>
#include <vector>

#include "client/bench/load_plan.h"
#include "client/cli/connection.h"
#include "client/cli/effort_flags.h"

namespace candor {

enum class Asked { kBoth, kLabels, kUncertainty, kStatistics };
enum class Arrival { kPoisson, kConstant };

struct BenchFlags {
  ConnectionFlags connection;
  int connections = 1;
  // Closed loop unless `rate` is > 0.
  int concurrency = 1;
  double rate = 0;
  Arrival arrival = Arrival::kPoisson;
  int max_in_flight = LoadPlan().max_in_flight;
  int cameras = 0;  // 0: no streams
  bool latest = false;
  double duration_s = 0;  // 0: not given
  int64_t requests = 0;   // 0: not given
  double warmup_s = 1;
  uint64_t seed = 1;
  std::vector<std::string> pictures;  // empty: a generated one of `size`
  std::string size = "480x360";
  bool raw = false;
  bool halves = false;
  Asked asked = Asked::kBoth;
  std::string uncertainty;  // empty: the model's default
  std::string model;
  EffortFlags effort;
  double objective_ms = 0;            // 0: the timeout
  std::vector<std::string> expected;  // names of status codes
  bool check = false;
  double check_bound = 0.001;
  bool json = false;
  std::string csv;  // empty: no file
};

CLI::App* AddBenchCommand(CLI::App* app, BenchFlags* flags);
ExitCode RunBench(const BenchFlags& flags, const Console& console);

}  // namespace candor
