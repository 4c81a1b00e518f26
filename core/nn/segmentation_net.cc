// SPDX-License-Identifier: Apache-2.0
#include "core/nn/segmentation_net.h"

#include <utility>

#include "core/nn/convolve.h"
#include "core/nn/gaussian_weights.h"
#include "core/nn/rank_one.h"

namespace candor {
namespace {

// A 1x1 convolution with bias, child "0" as in segmentation_models_pytorch's heads.
torch::nn::Conv2d RegisterHead(torch::nn::Module& net, int64_t in, int64_t out) {
  const auto head = net.register_module("segmentation_head", std::make_shared<torch::nn::Module>());
  return head->register_module("0", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1)));
}

void CheckImages(const torch::Tensor& images) {
  TORCH_CHECK(images.dim() == 4 && images.size(1) == 3 && images.size(2) % 16 == 0 && images.size(3) % 16 == 0,
              "images: want [N, 3, H, W] with H and W multiples of 16, got ", images.sizes());
}

}  // namespace

SegmentationNetImpl::SegmentationNetImpl(int64_t width, int64_t classes, int64_t uncertainty_channels,
                                         double encoder_dropout)
    : encoder_(register_module("encoder", ResNetEncoder(width, encoder_dropout))),
      decoder_(register_module("decoder", DeepLabDecoder(width))) {
  segmentation_head_ = RegisterHead(*this, 4 * width, classes);
  if (uncertainty_channels > 0) AttachHead(std::make_shared<LinearHead>(4 * width, uncertainty_channels));
}

void SegmentationNetImpl::AttachHead(std::shared_ptr<UncertaintyHeadModule> head) {
  uncertainty_head_ = register_module("uncertainty_head", std::move(head));
}

Scores SegmentationNetImpl::Forward(const torch::Tensor& images) { return Decode(Encode(images)); }

EncoderFeatures SegmentationNetImpl::Encode(const torch::Tensor& images) {
  CheckImages(images);
  return encoder_(images);
}

void SegmentationNetImpl::DropEncoder() {
  unregister_module("encoder");
  encoder_ = nullptr;
}

torch::Tensor SegmentationNetImpl::Features(const torch::Tensor& images) { return decoder_(Encode(images)); }

torch::Tensor SegmentationNetImpl::FirstLayer(const torch::Tensor& images) {
  CheckImages(images);
  return encoder_->FirstLayer(images);
}

Scores SegmentationNetImpl::AfterFirstLayer(const torch::Tensor& first_layer, const LayerDropout& dropout) {
  return Decode(encoder_->AfterFirstLayer(first_layer, dropout));
}

void SegmentationNetImpl::DivideLogits(double temperature) {
  torch::NoGradGuard no_grad;
  segmentation_head_->weight.div_(temperature);
  segmentation_head_->bias.div_(temperature);
  if (uncertainty_head_ != nullptr) uncertainty_head_->DivideLogits(temperature);
}

void SegmentationNetImpl::FreezeEncoder() {
  is_encoder_frozen_ = true;
  for (torch::Tensor& parameter : encoder_->parameters()) parameter.set_requires_grad(false);
  train(is_training());
}

void SegmentationNetImpl::FreezeSegmenter() {
  is_segmenter_frozen_ = true;
  DetachUncertainty();
  for (auto& item : named_parameters()) {
    if (item.key().rfind("uncertainty_head.", 0) != 0) item.value().set_requires_grad(false);
  }
  train(is_training());
}

void SegmentationNetImpl::train(bool on) {
  torch::nn::Module::train(on);
  if (is_encoder_frozen_ || is_segmenter_frozen_) encoder_->eval();
  if (is_segmenter_frozen_) decoder_->eval();
}

Scores SegmentationNetImpl::Decode(const EncoderFeatures& encoded) {
  const torch::Tensor features = decoder_(encoded);
  Scores scores;
  scores.logits = Convolve(segmentation_head_, features);
  if (uncertainty_head_ != nullptr) {
    scores.uncertainty = is_uncertainty_detached_
                             ? uncertainty_head_->Forward(features.detach(), scores.logits.detach())
                             : uncertainty_head_->Forward(features, scores.logits);
  }
  return scores;
}

SegmentationNet MakeNetwork(const ModelSpec& spec) {
  const bool has_dropout = spec.sampling.method == SamplingMethod::kMcDropout;
  const bool is_linear = spec.head == UncertaintyHead::kLinear || spec.head == UncertaintyHead::kPerClass;
  SegmentationNet net(spec.width, spec.class_count(), is_linear ? HeadChannels(spec) : 0,
                      has_dropout ? spec.sampling.dropout : 0);
  if (!is_linear) net->AttachHead(MakeUncertaintyHead(spec));
  if (spec.sampling.method == SamplingMethod::kRankOne) ShareWeights(*net, spec.sampling.passes);
  if (spec.sampling.method == SamplingMethod::kWeightSamples) {
    for (const auto& part : net->named_children()) {
      if (!spec.sampling.is_decoder_only || part.key() != "encoder") MakeWeightsGaussian(*part.value());
    }
  }
  if (spec.head == UncertaintyHead::kObserver) net->FreezeSegmenter();
  return net;
}

}  // namespace candor
