// SPDX-License-Identifier: Apache-2.0
//
// Sorting and counting.
#include "client/bench/load_summary.h"

#include <algorithm>
#include <numeric>

namespace candor {
namespace {

float Median(const std::vector<const LoadSample*>& answers, float StageTimes::*stage) {
  std::vector<double> values;
  values.reserve(answers.size());
  for (const LoadSample* sample : answers) values.push_back(sample->server_times.*stage);
  std::sort(values.begin(), values.end());
  return static_cast<float>(NearestRank(values, 500));
}

void AddLatency(const std::vector<const LoadSample*>& answers, double objective_ms, LoadSummary* summary) {
  std::vector<double> latency;
  latency.reserve(answers.size());
  for (const LoadSample* sample : answers) latency.push_back(sample->latency_ms());
  std::sort(latency.begin(), latency.end());
  const auto count = static_cast<int64_t>(latency.size());
  summary->in_time = std::upper_bound(latency.begin(), latency.end(), objective_ms) - latency.begin();
  for (const int permille : LoadSummary::kPermilles) {
    const int64_t above = 1000 - permille;
    Percentile percentile{permille, std::nullopt, (int64_t{LoadSummary::kTailSamples} * 1000 + above - 1) / above};
    if (count >= percentile.needs) percentile.ms = NearestRank(latency, permille);
    summary->latency.push_back(percentile);
  }
  if (latency.empty()) return;
  summary->mean_ms = std::accumulate(latency.begin(), latency.end(), 0.0) / static_cast<double>(count);
  summary->max_ms = latency.back();
}

}  // namespace

double NearestRank(const std::vector<double>& sorted, int permille) {
  const auto count = static_cast<int64_t>(sorted.size());
  const int64_t rank = (count * permille + 999) / 1000;
  return sorted[static_cast<size_t>(std::max<int64_t>(rank, 1) - 1)];
}

LoadSummary Summarize(const std::vector<LoadSample>& samples, double objective_ms, double duration_s) {
  LoadSummary summary;
  summary.requests = static_cast<int64_t>(samples.size());
  summary.elapsed_s = duration_s;
  std::vector<const LoadSample*> answers;
  double uncertainty_sum = 0;
  double members_sum = 0;
  for (const LoadSample& sample : samples) {
    summary.elapsed_s = std::max(summary.elapsed_s, sample.done_s);
    if (sample.is_superseded) {
      ++summary.superseded;
      continue;
    }
    summary.max_late_ms = std::max(summary.max_late_ms, (sample.sent_s - sample.due_s) * 1e3);
    if (sample.code != absl::StatusCode::kOk) {
      ++summary.errors[sample.code];
      continue;
    }
    answers.push_back(&sample);
    uncertainty_sum += static_cast<double>(sample.mean_uncertainty);
    members_sum += sample.members;
    if (sample.escalation != EscalationOutcome::kNone) ++summary.escalations[sample.escalation];
  }
  summary.answers = static_cast<int64_t>(answers.size());
  AddLatency(answers, objective_ms, &summary);
  if (answers.empty()) return summary;
  summary.throughput = static_cast<double>(summary.answers) / summary.elapsed_s;
  summary.goodput = static_cast<double>(summary.in_time) / summary.elapsed_s;
  summary.server_median = {Median(answers, &StageTimes::decode_ms), Median(answers, &StageTimes::queue_ms),
                           Median(answers, &StageTimes::infer_ms), Median(answers, &StageTimes::encode_ms)};
  summary.mean_uncertainty = uncertainty_sum / static_cast<double>(summary.answers);
  summary.mean_members = members_sum / static_cast<double>(summary.answers);
  return summary;
}

}  // namespace candor
