// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "prometheus/collectable.h"
#include "server/metrics/inference_statistics.h"

namespace candor {

// InferenceStatistics by the names of Triton's metrics (nv_inference_...), for dashboards and scaling rules that know
// those. Thread-safe.
class TritonMetrics : public prometheus::Collectable {
 public:
  explicit TritonMetrics(std::shared_ptr<const InferenceStatistics> statistics) : statistics_(std::move(statistics)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::shared_ptr<const InferenceStatistics> statistics_;  // the page may outlive the server's other parts
};

}  // namespace candor
