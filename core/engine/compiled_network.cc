// SPDX-License-Identifier: Apache-2.0
#include "core/engine/compiled_network.h"

#include <algorithm>

namespace candor {
namespace {

torch::ScalarType TypeOf(Precision precision) {
  TORCH_CHECK(precision != Precision::kAuto, "precision: must be chosen before a network is compiled");
  return precision == Precision::kBf16 ? torch::kBFloat16 : torch::kFloat;
}

void CheckImages(const torch::Tensor& images) {
  TORCH_CHECK(images.dim() == 4 && images.size(0) >= 1 && images.size(1) == 3 && images.size(2) >= 16 &&
                  images.size(3) >= 16 && images.size(2) % 16 == 0 && images.size(3) % 16 == 0 &&
                  images.scalar_type() == torch::kFloat && images.is_cpu(),
              "images: want [N, 3, H, W] float32 on the CPU with H and W multiples of 16, got ", images.sizes(), " ",
              images.scalar_type());
}

}  // namespace

CompiledNetwork::CompiledNetwork(const SegmentationNetImpl& net, Precision precision)
    : CompiledNetwork(FoldWeights(net), TypeOf(precision)) {}

CompiledNetwork::CompiledNetwork(const FoldedWeights& weights, torch::ScalarType type)
    : type_(type),
      classes_(weights.classes),
      uncertainty_channels_(weights.uncertainty_channels),
      layers_(MakeLayers(weights, type)),
      shapeless_(weights, type) {}

Scores CompiledNetwork::Forward(const torch::Tensor& images) {
  CheckImages(images);
  const torch::InferenceMode inference;
  const torch::Tensor scores =
      PlanFor(images).Run(images.to(type_, /*non_blocking=*/false, /*copy=*/false, torch::MemoryFormat::ChannelsLast));
  Scores result;
  result.logits = scores.narrow(1, 0, classes_);
  if (uncertainty_channels_ > 0) result.uncertainty = scores.narrow(1, classes_, uncertainty_channels_);
  return result;
}

const Plan& CompiledNetwork::PlanFor(const torch::Tensor& images) {
  const int64_t n = images.size(0);
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  const auto known = std::find_if(plans_.begin(), plans_.end(), [&](const ShapedPlan& shaped) {
    return shaped.n == n && shaped.height == height && shaped.width == width;
  });
  if (known != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, known);
  } else {
    if (plans_.size() == kMaxPlans) plans_.pop_back();
    plans_.push_front({n, height, width, Plan(n, height, width, &layers_, &shapeless_)});
  }
  return plans_.front().plan;
}

}  // namespace candor
