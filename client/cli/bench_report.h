// SPDX-License-Identifier: Apache-2.0
//
// What `candor bench` says.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "client/bench/answer_check.h"
#include "client/bench/load_plan.h"
#include "client/bench/load_summary.h"

namespace candor {

struct BenchReport {
  LoadPlan plan;
  std::string model;  // name of what answered
  std::string kind;   // of the uncertainty
  bool is_anytime = false;
  std::vector<std::string> pictures;
  double objective_ms = 0;
  LoadSummary summary;
  std::optional<CheckFigures> check;
};

void PrintBenchReport(const BenchReport& report, std::ostream& out);

// The keys are documented in `candor bench --help`.
nlohmann::ordered_json BenchJson(const BenchReport& report);

// A line a call: due_s, sent_s, done_s, latency_ms, status, picture, decode_ms, queue_ms, infer_ms, encode_ms,
// mean_uncertainty, members, escalation; the last seven are empty for a call without an answer.
std::string BenchCsv(const std::vector<LoadSample>& samples, const std::vector<std::string>& pictures);

}  // namespace candor
