// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "trainer/training/observer.h"

namespace candor {

// Serves a run's figures for Prometheus at http://ADDRESS/metrics as long as it lives:
//   candor_training_steps_total, candor_training_images_total, candor_training_data_wait_seconds_total,
//   candor_training_step_duration_seconds (histogram), candor_training_loss{part}, candor_training_learning_rate,
//   candor_training_epochs, candor_training_steps, candor_training_validation_miou_ratio,
//   candor_training_validation_accuracy_ratio, candor_training_validation_mean_uncertainty,
//   candor_training_best_miou_ratio (the last four from the first validation on).
class TrainingMetrics : public TrainingObserver {
 public:
  // `address` is HOST:PORT, port 0 takes a free one. Unavailable: it cannot be bound.
  static absl::StatusOr<std::unique_ptr<TrainingMetrics>> Serve(const std::string& address);

  // The port it listens on.
  virtual int port() const = 0;
};

}  // namespace candor
