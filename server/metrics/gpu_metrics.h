// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/segmenter/device_memory.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace candor {

// candor_gpu_memory_bytes{state="used|free"}, read at each scrape; nothing without a GPU. Thread-safe.
class GpuMetrics : public prometheus::Collectable {
 public:
  // `read` (DeviceMemoryNow) must be thread-safe.
  explicit GpuMetrics(std::function<std::optional<DeviceMemory>()> read) : read_(std::move(read)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::function<std::optional<DeviceMemory>()> read_;
};

}  // namespace candor
