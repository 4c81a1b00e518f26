// SPDX-License-Identifier: Apache-2.0
//
// The network of the DUDES paper: DeepLabv3+ on ResNet-18, and for a student a second 1x1 head, of one channel a
// learned kind, on the same decoder features (Landgraf et al. 2023, section 3.1). Readable form: for training and as
// the reference of the compiled one.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "core/model/model_spec.h"
#include "core/nn/deeplab.h"
#include "core/nn/network.h"
#include "core/nn/resnet.h"
#include "core/nn/uncertainty_head.h"

namespace candor {

class SegmentationNetImpl : public torch::nn::Module, public SplitNetwork {
 public:
  // Parameters with `width` 64 and C classes: 12,329,040 + 257 C, plus 257 for each of `uncertainty_channels` of a
  // linear head (0: no uncertainty head). `encoder_dropout`: rate after each encoder layer while training, 0 for none.
  SegmentationNetImpl(int64_t width, int64_t classes, int64_t uncertainty_channels, double encoder_dropout = 0);

  // Another head than a linear one. To be called at most once, on a network without a head.
  void AttachHead(std::shared_ptr<UncertaintyHeadModule> head);
  // Null without one.
  const std::shared_ptr<UncertaintyHeadModule>& uncertainty_head() const { return uncertainty_head_; }

  Scores Forward(const torch::Tensor& images) override;
  Scores forward(const torch::Tensor& images) { return Forward(images); }

  EncoderFeatures Encode(const torch::Tensor& images) override;
  Scores Decode(const EncoderFeatures& encoded) override;
  void DropEncoder() override;

  // From now on the encoder stays as it is: its parameters ask for no gradient, so that backward ends at the decoder,
  // and its batch norms are in evaluation mode also while the rest is in training mode.
  void FreezeEncoder();

  // The decoder's features of a batch, which the heads read: [N, 4 width, H/4, W/4].
  torch::Tensor Features(const torch::Tensor& images);

  // Forward in two steps, for passes over one batch that differ in their dropout only: up to the encoder's layer1
  // [N, width, H/4, W/4], and the rest with `dropout` instead of the encoder's own.
  torch::Tensor FirstLayer(const torch::Tensor& images);
  Scores AfterFirstLayer(const torch::Tensor& first_layer, const LayerDropout& dropout);

  // Divides the class scores by `temperature` from now on (Guo et al. 2017): everything after them up to the softmax is
  // linear, so the head's weight and bias are divided instead. Uncertainty heads see the scores as they were.
  void DivideLogits(double temperature);

  // The uncertainty head's gradient stops at the decoder's features from now on.
  void DetachUncertainty() { is_uncertainty_detached_ = true; }

  // From now on everything but the uncertainty head is a constant: its parameters want no gradients, and train() leaves
  // it in evaluation mode.
  void FreezeSegmenter();
  void train(bool on = true) override;

 private:
  ResNetEncoder encoder_;
  DeepLabDecoder decoder_;
  torch::nn::Conv2d segmentation_head_{nullptr};
  std::shared_ptr<UncertaintyHeadModule> uncertainty_head_;
  bool is_uncertainty_detached_ = false;
  bool is_encoder_frozen_ = false;
  bool is_segmenter_frozen_ = false;
};
TORCH_MODULE(SegmentationNet);

// The network a spec describes as it is trained and stored, freshly initialised, in training mode: with the dropout,
// the deviations or the members' factors of spec.sampling. With an observer the rest is frozen.
SegmentationNet MakeNetwork(const ModelSpec& spec);

}  // namespace candor
