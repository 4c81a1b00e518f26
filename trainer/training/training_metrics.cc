// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/training_metrics.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/counter.h"
#include "prometheus/exposer.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace candor {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

// From a small crop on a GPU to a large batch on a laptop.
const Histogram::BucketBoundaries kStepSeconds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

class ServedMetrics : public TrainingMetrics {
 public:
  explicit ServedMetrics(const std::string& address)
      : registry_(std::make_shared<prometheus::Registry>()), exposer_(address, /*num_threads=*/1) {
    exposer_.RegisterCollectable(registry_);
  }

  int port() const override { return exposer_.GetListeningPorts().front(); }

  absl::Status OnStart(const RunStart& start) override {
    steps_ = &CounterOf("candor_training_steps_total", "Optimizer steps done by this process.");
    images_ = &CounterOf("candor_training_images_total", "Crops trained on by this process.");
    waited_ = &CounterOf("candor_training_data_wait_seconds_total", "Time spent waiting for data.");
    duration_ = &prometheus::BuildHistogram()
                     .Name("candor_training_step_duration_seconds")
                     .Help("Time of a step, waiting for data included.")
                     .Register(*registry_)
                     .Add({{"run", start.name}}, kStepSeconds);
    auto& loss = prometheus::BuildGauge()
                     .Name("candor_training_loss")
                     .Help("Loss of the last step, by part.")
                     .Register(*registry_);
    loss_ = &loss.Add({{"part", "total"}});
    segmentation_loss_ = &loss.Add({{"part", "segmentation"}});
    uncertainty_loss_ = &loss.Add({{"part", "uncertainty"}});
    learning_rate_ = &GaugeOf("candor_training_learning_rate", "Learning rate of the encoder at the last step.");
    epochs_ = &GaugeOf("candor_training_epochs", "Epochs done, a checkpoint's included.");
    epochs_->Set(static_cast<double>(start.first_step) / static_cast<double>(start.steps_per_epoch));
    GaugeOf("candor_training_steps", "Steps of the whole run.").Set(static_cast<double>(start.steps));
    return absl::OkStatus();
  }

  absl::Status OnStep(const StepRecord& record) override {
    steps_->Increment();
    images_->Increment(record.images);
    waited_->Increment(record.data_seconds);
    duration_->Observe(record.seconds);
    loss_->Set(record.loss);
    segmentation_loss_->Set(record.segmentation_loss);
    uncertainty_loss_->Set(record.uncertainty_loss);
    learning_rate_->Set(record.learning_rate);
    epochs_->Set(record.epoch);
    return absl::OkStatus();
  }

  absl::Status OnValidation(const ValidationRecord& record) override {
    // Made here, so that nothing is said before there is something to say; registering again finds the first.
    GaugeOf("candor_training_validation_miou_ratio", "Mean IoU of the last validation.").Set(record.miou);
    GaugeOf("candor_training_validation_accuracy_ratio", "Pixel accuracy of the last validation.").Set(record.accuracy);
    GaugeOf("candor_training_validation_mean_uncertainty",
            "Mean over classes of the default uncertainty kind at the last validation.")
        .Set(record.munc);
    GaugeOf("candor_training_best_miou_ratio", "Best validation mean IoU so far.").Set(record.best_miou);
    return absl::OkStatus();
  }

  absl::Status OnEnd(const std::string& outcome) override { return absl::OkStatus(); }

 private:
  Counter& CounterOf(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add({});
  }
  Gauge& GaugeOf(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add({});
  }

  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Exposer exposer_;
  // Owned by the registry; set by OnStart, which comes before all else.
  Counter* steps_ = nullptr;
  Counter* images_ = nullptr;
  Counter* waited_ = nullptr;
  Histogram* duration_ = nullptr;
  Gauge* loss_ = nullptr;
  Gauge* segmentation_loss_ = nullptr;
  Gauge* uncertainty_loss_ = nullptr;
  Gauge* learning_rate_ = nullptr;
  Gauge* epochs_ = nullptr;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingMetrics>> TrainingMetrics::Serve(const std::string& address) {
  try {
    return std::make_unique<ServedMetrics>(address);
  } catch (const std::exception&) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", address, ": the port is taken, or the host is not an IP address of this machine"));
  }
}

}  // namespace candor
