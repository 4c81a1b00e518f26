// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/triton_metrics.h"

#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/metric_family.h"

namespace candor {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Counts = InferenceStatistics::Counts;

std::vector<ClientMetric::Label> LabelsOf(const InferenceStatistics::Entry& entry) {
  return {{"model", absl::StrCat(entry.model, entry.is_encoded ? "_encoded" : "")},
          {"version", absl::StrCat(entry.version)}};
}

MetricFamily Family(std::string name, std::string help, MetricType type, const std::vector<Counts>& all,
                    const std::function<double(const Counts&)>& value) {
  MetricFamily family{std::move(name), std::move(help), type, {}};
  for (const Counts& counts : all) {
    ClientMetric metric;
    metric.label = LabelsOf(counts.entry);
    if (type == MetricType::Gauge) {
      metric.gauge.value = value(counts);
    } else {
      metric.counter.value = value(counts);
    }
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily Failures(const std::vector<Counts>& all) {
  constexpr const char* kReasons[kFailureReasons] = {"REJECTED", "CANCELED", "BACKEND", "OTHER"};
  MetricFamily family{"nv_inference_request_failure", "Pictures that failed", MetricType::Counter, {}};
  for (const Counts& counts : all) {
    for (int reason = 0; reason < kFailureReasons; ++reason) {
      ClientMetric metric;
      metric.label = LabelsOf(counts.entry);
      metric.label.push_back({"reason", kReasons[reason]});
      metric.counter.value = static_cast<double>(counts.failures_by_reason[static_cast<size_t>(reason)]);
      family.metric.push_back(std::move(metric));
    }
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> TritonMetrics::Collect() const {
  const std::vector<Counts> all = statistics_->All();
  std::vector<MetricFamily> families;
  const auto add = [&](const char* name, const char* help, MetricType type,
                       const std::function<double(const Counts&)>& value) {
    families.push_back(Family(name, help, type, all, value));
  };
  const auto add_us = [&](const char* part, const char* help, uint64_t InferenceStatistics::Sums::*ns) {
    add(absl::StrCat("nv_inference_", part, "_duration_us").c_str(), help, MetricType::Counter,
        [ns](const Counts& counts) { return static_cast<double>(counts.sums.*ns / 1000); });
  };
  add("nv_inference_request_success", "Pictures answered", MetricType::Counter,
      [](const Counts& counts) { return static_cast<double>(counts.successes); });
  families.push_back(Failures(all));
  add("nv_inference_count", "Pictures segmented", MetricType::Counter,
      [](const Counts& counts) { return static_cast<double>(counts.successes); });
  add("nv_inference_exec_count", "Batches run", MetricType::Counter,
      [](const Counts& counts) { return static_cast<double>(counts.executions); });
  add("nv_inference_pending_request_count", "Pictures received and not yet answered", MetricType::Gauge,
      [](const Counts& counts) { return static_cast<double>(counts.pending); });
  add_us("request", "Arrival to answer, summed", &InferenceStatistics::Sums::total_ns);
  add_us("queue", "Waiting, summed", &InferenceStatistics::Sums::queue_ns);
  add_us("compute_input", "Decoding, summed", &InferenceStatistics::Sums::decode_ns);
  add_us("compute_infer", "The network, summed over pictures", &InferenceStatistics::Sums::infer_ns);
  add_us("compute_output", "Encoding, summed", &InferenceStatistics::Sums::encode_ns);
  return families;
}

}  // namespace candor
