// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/service_metrics.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "prometheus/metric_family.h"

namespace candor {
namespace {

prometheus::MetricFamily Gauge(const char* name, const char* help) {
  prometheus::MetricFamily family;
  family.name = std::string("candor_training_service_") + name;
  family.help = help;
  family.type = prometheus::MetricType::Gauge;
  return family;
}

prometheus::ClientMetric Value(double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  return metric;
}

}  // namespace

std::vector<prometheus::MetricFamily> ServiceMetrics::Collect() const {
  std::map<RunState, int> counts;
  for (int state = 1; state <= static_cast<int>(RunState::kCancelled); ++state) {
    counts[static_cast<RunState>(state)] = 0;
  }
  double steps = 0;
  double speed = 0;
  double age = 0;
  for (const RunView& view : runs_.List()) {
    ++counts[view.record.state];
    const bool is_running = view.record.state == RunState::kRunning;
    if (is_running) age = std::max(age, absl::ToDoubleSeconds(absl::Now() - view.last_step));
    for (const TrainingProgress& training : view.trainings) {
      steps += static_cast<double>(training.step);
      if (is_running && !training.is_done && training.step > 0) speed += training.images_per_second;
    }
  }
  prometheus::MetricFamily runs = Gauge("runs", "Runs of each state.");
  for (const auto& [state, count] : counts) {
    prometheus::ClientMetric metric = Value(count);
    metric.label.push_back({"state", NameOf(state)});
    runs.metric.push_back(std::move(metric));
  }
  prometheus::MetricFamily done = Gauge("steps_done", "Training steps of all runs that are on disk.");
  done.metric.push_back(Value(steps));
  prometheus::MetricFamily images = Gauge("images_per_second", "Of the trainings that run now, together.");
  images.metric.push_back(Value(speed));
  prometheus::MetricFamily last =
      Gauge("last_step_age_seconds",
            "Since the running run that waits longest logged a step or was started; 0 if none runs.");
  last.metric.push_back(Value(age));
  return {std::move(runs), std::move(done), std::move(images), std::move(last)};
}

}  // namespace candor
