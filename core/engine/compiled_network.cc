// SPDX-License-Identifier: Apache-2.0
#include "core/engine/compiled_network.h"

#include <algorithm>

#include "core/engine/cpu_features.h"

namespace candor {
namespace {

// Of the maps that are not in 8 bits.
torch::ScalarType TypeOf(Precision precision) {
  TORCH_CHECK(precision != Precision::kAuto, "precision: must be chosen before a network is compiled");
  const bool is_bf16 = precision == Precision::kBf16 || (precision == Precision::kInt8 && HasNativeBf16());
  return is_bf16 ? torch::kBFloat16 : torch::kFloat;
}

void CheckImages(const torch::Tensor& images) {
  TORCH_CHECK(images.dim() == 4 && images.size(0) >= 1 && images.size(1) == 3 && images.size(2) >= 16 &&
                  images.size(3) >= 16 && images.size(2) % 16 == 0 && images.size(3) % 16 == 0 &&
                  images.scalar_type() == torch::kFloat && images.is_cpu(),
              "images: want [N, 3, H, W] float32 on the CPU with H and W multiples of 16, got ", images.sizes(), " ",
              images.scalar_type());
}

}  // namespace

CompiledNetwork::CompiledNetwork(const SegmentationNetImpl& net, Precision precision, const EncoderRanges& ranges)
    : CompiledNetwork(FoldWeights(net), TypeOf(precision), precision == Precision::kInt8 ? &ranges : nullptr) {}

CompiledNetwork::CompiledNetwork(const FoldedWeights& weights, torch::ScalarType type, const EncoderRanges* ranges)
    : type_(type),
      classes_(weights.classes),
      uncertainty_channels_(weights.uncertainty_channels),
      decoder_(MakeDecoderLayers(weights, type)),
      shapeless_(weights, type) {
  if (ranges == nullptr) {
    encoder_ = MakeEncoderLayers(weights, type);
  } else {
    quantised_encoder_ = std::make_unique<QuantisedEncoderLayers>(weights, *ranges, type);
  }
}

EncoderFeatures CompiledNetwork::Encode(const torch::Tensor& images) {
  CheckImages(images);
  const torch::InferenceMode inference;
  ShapedPlan& plan = PlanFor(images.size(0), images.size(2), images.size(3));
  const torch::Tensor typed =
      images.to(type_, /*non_blocking=*/false, /*copy=*/false, torch::MemoryFormat::ChannelsLast);
  if (quantised_encoder_ != nullptr) {
    std::optional<QuantisedEncoderPlan>& encoder = plan.quantised_encoder;
    if (!encoder.has_value()) encoder.emplace(plan.n, plan.height, plan.width, quantised_encoder_.get());
    return encoder->Run(typed);
  }
  if (!plan.encoder.has_value()) plan.encoder.emplace(plan.n, plan.height, plan.width, &encoder_);
  return plan.encoder->Run(typed, observer_);
}

Scores CompiledNetwork::Decode(const EncoderFeatures& encoded) {
  const torch::Tensor& top = encoded.top;
  TORCH_CHECK(top.scalar_type() == type_, "features: must be of this network's precision, are ", top.scalar_type());
  const torch::InferenceMode inference;
  ShapedPlan& plan = PlanFor(top.size(0), 16 * top.size(2), 16 * top.size(3));
  if (!plan.decoder.has_value()) plan.decoder.emplace(plan.n, plan.height, plan.width, &decoder_, &shapeless_);
  const torch::Tensor scores = plan.decoder->Run(encoded);
  Scores result;
  result.logits = scores.narrow(1, 0, classes_);
  if (uncertainty_channels_ > 0) result.uncertainty = scores.narrow(1, classes_, uncertainty_channels_);
  return result;
}

void CompiledNetwork::DropEncoder() {
  for (ShapedPlan& plan : plans_) {
    plan.encoder.reset();
    plan.quantised_encoder.reset();
  }
  encoder_ = {};
  quantised_encoder_.reset();
}

CompiledNetwork::ShapedPlan& CompiledNetwork::PlanFor(int64_t n, int64_t height, int64_t width) {
  const auto known = std::find_if(plans_.begin(), plans_.end(), [&](const ShapedPlan& shaped) {
    return shaped.n == n && shaped.height == height && shaped.width == width;
  });
  if (known != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, known);
  } else {
    if (plans_.size() == kMaxPlans) plans_.pop_back();
    plans_.push_front({n, height, width, std::nullopt, std::nullopt, std::nullopt});
  }
  return plans_.front();
}

}  // namespace candor
