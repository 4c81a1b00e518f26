// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/refresh_norms.h"

#include <optional>

#include "core/base/status_macros.h"
#include "trainer/training/autocast.h"

namespace candor {
namespace {

// The momentum of every batch norm; none is PyTorch's cumulative average.
void SetMomentum(SegmentationNet& net, std::optional<double> momentum) {
  for (const auto& module : net->modules()) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->options.momentum(momentum);
  }
}

}  // namespace

absl::Status RefreshNorms(SegmentationNet& net, TrainingPrecision precision, int64_t batches,
                          const std::function<absl::StatusOr<torch::Tensor>()>& next_images,
                          const std::function<bool()>& stop_requested) {
  const torch::NoGradGuard no_grad;
  const double momentum = torch::nn::BatchNorm2dOptions(1).momentum().value();
  for (const auto& module : net->modules()) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->reset_running_stats();
  }
  SetMomentum(net, std::nullopt);
  net->train();
  absl::Status status;
  for (int64_t i = 0; i < batches && status.ok(); ++i) {
    if (stop_requested()) {
      status = absl::CancelledError("batch norms: told to stop");
      break;
    }
    const absl::StatusOr<torch::Tensor> images = next_images();
    status = images.status();
    if (!status.ok()) break;
    const Autocast autocast(images->device().type(), precision == TrainingPrecision::kBf16);
    net->Forward(*images);
  }
  SetMomentum(net, momentum);
  net->eval();
  return status;
}

}  // namespace candor
