// SPDX-License-Identifier: Apache-2.0
//
// What stands beside the class scores. Registered as "uncertainty_head".
#pragma once

#include <torch/torch.h>

#include <memory>

#include "core/model/model_spec.h"

namespace candor {

// Thread-compatible.
class UncertaintyHeadModule : public torch::nn::Module {
 public:
  // features [N, 4 width, h, w] of the decoder, logits [N, C, h, w] -> [N, K, h, w], before the sigmoid.
  virtual torch::Tensor Forward(const torch::Tensor& features, const torch::Tensor& logits) = 0;

  // From now on Forward is given logits that were divided by `temperature`.
  void DivideLogits(double temperature) { temperature_ *= temperature; }

 protected:
  // The logits as the network was trained to give them.
  torch::Tensor Undivided(const torch::Tensor& logits) const {
    return temperature_ == 1 ? logits : logits * temperature_;
  }

 private:
  double temperature_ = 1;
};

// A 1x1 convolution of the features with bias, child "0" as in segmentation_models_pytorch's heads.
class LinearHead : public UncertaintyHeadModule {
 public:
  LinearHead(int64_t in, int64_t out);
  torch::Tensor Forward(const torch::Tensor& features, const torch::Tensor& logits) override;

 private:
  torch::nn::Conv2d conv_;
};

// Channels of the head of a spec; 0 where it has none. Of kLogitSamples: C logarithms of variances, then C for each
// column of the low-rank part.
int64_t HeadChannels(const ModelSpec& spec);

// The head of a spec whose head is not linear.
std::shared_ptr<UncertaintyHeadModule> MakeUncertaintyHead(const ModelSpec& spec);

}  // namespace candor
