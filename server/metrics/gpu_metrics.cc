// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/gpu_metrics.h"

namespace candor {
namespace {

prometheus::ClientMetric Series(const char* state, int64_t bytes) {
  prometheus::ClientMetric metric;
  metric.label = {{"state", state}};
  metric.gauge.value = static_cast<double>(bytes);
  return metric;
}

}  // namespace

std::vector<prometheus::MetricFamily> GpuMetrics::Collect() const {
  const std::optional<DeviceMemory> memory = read_();
  if (!memory.has_value()) return {};
  return {{"candor_gpu_memory_bytes",
           "Memory of the whole GPU, whichever process uses it.",
           prometheus::MetricType::Gauge,
           {Series("used", memory->used_bytes), Series("free", memory->free_bytes)}}};
}

}  // namespace candor
