// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "prometheus/collectable.h"
#include "trainer/service/training_runs.h"

namespace candor {

// The runs as gauges, counted at each scrape:
//   candor_training_service_runs{state}              runs of each state
//   candor_training_service_steps_done               steps of all runs that are on disk
//   candor_training_service_images_per_second        of the trainings that run now, together
//   candor_training_service_last_step_age_seconds    since the running run that waits longest logged a step or was
//                                                    started; 0 if none runs
class ServiceMetrics : public prometheus::Collectable {
 public:
  // `runs` outlives the metrics.
  explicit ServiceMetrics(const TrainingRuns* runs) : runs_(*runs) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const TrainingRuns& runs_;
};

}  // namespace candor
