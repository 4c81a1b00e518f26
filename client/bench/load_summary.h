// SPDX-License-Identifier: Apache-2.0
//
// The figures of a load.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "client/bench/load_recorder.h"
#include "client/segmentation_client.h"

namespace candor {

struct Percentile {
  int permille = 0;          // 500 is the median, 999 is p99.9
  std::optional<double> ms;  // unset: fewer than kTailSamples answers are slower, so that it would be chance
  int64_t needs = 0;         // answers it takes
};

struct LoadSummary {
  static constexpr int kTailSamples = 10;
  static constexpr std::array<int, 5> kPermilles = {500, 900, 950, 990, 999};

  int64_t requests = 0;
  int64_t answers = 0;
  int64_t superseded = 0;
  std::map<absl::StatusCode, int64_t> errors;
  double elapsed_s = 0;   // to the last call's end, or to the end of the time planned if that is later
  double throughput = 0;  // answers a second
  int64_t in_time = 0;    // answers within the objective
  double goodput = 0;     // those, a second
  // Of answers, from the time the call was due: a server that stalls delays those behind it, and they count.
  std::vector<Percentile> latency;
  double mean_ms = 0;
  double max_ms = 0;
  double max_late_ms = 0;    // how late a call was sent, at most: beyond a few ms the generator was the limit
  StageTimes server_median;  // each stage by itself
  double mean_uncertainty = 0;
  double mean_members = 0;
  std::map<EscalationOutcome, int64_t> escalations;  // answers by what came of theirs; kNone is left out
};

// `objective_ms`: an answer within it is in time. `duration_s` as planned, or 0. All figures are 0 without an answer.
LoadSummary Summarize(const std::vector<LoadSample>& samples, double objective_ms, double duration_s);

// Nearest rank: the smallest value that at least `permille` / 1000 of all are not above. `sorted` is not empty.
double NearestRank(const std::vector<double>& sorted, int permille);

}  // namespace candor
