// SPDX-License-Identifier: Apache-2.0
//
// The compiled form of the network, for inference on the CPU: batch norms folded, ReLUs, residual sums and biases fused
// into oneDNN's convolutions, weights packed once for each shape of input, own depthwise kernels. core/nn is its
// reference: in float32 it says the same but for rounding.
#pragma once

#include <torch/torch.h>

#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "core/engine/plan.h"
#include "core/engine/quantised_encoder.h"
#include "core/model/precision.h"
#include "core/nn/network.h"
#include "core/nn/segmentation_net.h"

namespace candor {

class CompiledNetwork : public SplitNetwork {
 public:
  // Shapes of input whose packed weights are kept; the one longest unused goes first.
  static constexpr size_t kMaxPlans = 4;

  // From the weights of `net`, whose norms are not folded; it is not needed afterwards. `precision`: not kAuto; kBf16
  // where HasNativeBf16 and kInt8 where HasNativeInt8 only. `ranges`: for kInt8, of kEncoderMaps maps.
  CompiledNetwork(const SegmentationNetImpl& net, Precision precision, const EncoderRanges& ranges = {});

  // Shows `observer` the encoder's maps from now on; not with kInt8.
  void Observe(MapObserver observer) { observer_ = std::move(observer); }

  // As Network says. The first call with a shape packs the weights for it.
  Scores Forward(const torch::Tensor& images) override { return Decode(Encode(images)); }
  EncoderFeatures Encode(const torch::Tensor& images) override;
  Scores Decode(const EncoderFeatures& encoded) override;
  void DropEncoder() override;

  // How many shapes have packed weights now.
  size_t plans() const { return plans_.size(); }

 private:
  CompiledNetwork(const FoldedWeights& weights, torch::ScalarType type, const EncoderRanges* ranges);

  // Of images [n, 3, height, width]; each part is made when it is first needed.
  struct ShapedPlan {
    int64_t n, height, width;
    std::optional<EncoderPlan> encoder;
    std::optional<QuantisedEncoderPlan> quantised_encoder;
    std::optional<DecoderPlan> decoder;
  };

  ShapedPlan& PlanFor(int64_t n, int64_t height, int64_t width);

  const torch::ScalarType type_;
  const int64_t classes_;
  const int64_t uncertainty_channels_;
  EncoderLayers<ConvLayer> encoder_;
  std::unique_ptr<QuantisedEncoderLayers> quantised_encoder_;  // with kInt8, instead of encoder_
  MapObserver observer_;
  DecoderLayers<PackedConvLayer> decoder_;
  const ShapelessLayers shapeless_;
  std::list<ShapedPlan> plans_;  // the last used first
};

}  // namespace candor
