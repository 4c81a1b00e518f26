// SPDX-License-Identifier: Apache-2.0
//
// The network on a GPU: batch norms folded, channels last, bfloat16 or float32, ReLUs and residual sums fused into
// cuDNN's convolutions, the pyramid's pooled branch as a bias. core/nn is its reference.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "core/engine/folded_weights.h"
#include "core/engine/packed_conv.h"
#include "core/engine/pooled_branch.h"
#include "core/nn/network.h"
#include "core/nn/segmentation_net.h"

namespace candor {

// Convolutions with what follows them. Thread-safe.
class FusedOperators {
 public:
  virtual ~FusedOperators() = default;

  // relu(conv(x) + bias).
  virtual torch::Tensor ConvRelu(const torch::Tensor& x, const FoldedConv& conv,
                                 const ConvGeometry& geometry) const = 0;
  // relu(conv(x) + bias + sum).
  virtual torch::Tensor ConvAddRelu(const torch::Tensor& x, const FoldedConv& conv, const ConvGeometry& geometry,
                                    const torch::Tensor& sum) const = 0;
};

// cuDNN's on a GPU; one operator after the other, as a reference, elsewhere.
std::unique_ptr<FusedOperators> OperatorsFor(torch::Device device);

// Thread-compatible. Throws c10::Error.
class FusedNetwork : public SplitNetwork {
 public:
  // From the weights of `net`, whose norms are not folded; it is not needed afterwards. `type`: kFloat or kBFloat16.
  FusedNetwork(const SegmentationNetImpl& net, torch::Device device, torch::ScalarType type);

  // As Network says, images on the device.
  Scores Forward(const torch::Tensor& images) override { return Decode(Encode(images)); }
  EncoderFeatures Encode(const torch::Tensor& images) override;
  Scores Decode(const EncoderFeatures& encoded) override;
  void DropEncoder() override;

 private:
  FusedNetwork(FoldedWeights weights, torch::Device device, torch::ScalarType type);

  torch::Tensor Block(size_t index, const torch::Tensor& x) const;
  torch::Tensor Separable(const FoldedSeparable& layer, const torch::Tensor& x, int64_t dilation) const;
  torch::Tensor Pyramid(const torch::Tensor& top) const;

  const torch::ScalarType type_;
  const PooledBranch pooled_;
  const torch::Tensor project_;  // of the pyramid's other branches
  FoldedWeights weights_;        // on the device, of the type, channels last; the heads stay float32
  const std::unique_ptr<FusedOperators> operators_;
};

}  // namespace candor
