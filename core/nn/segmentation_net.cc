// SPDX-License-Identifier: Apache-2.0
#include "core/nn/segmentation_net.h"

#include <memory>

namespace candor {
namespace {

// A 1x1 convolution with bias, child "0" as in segmentation_models_pytorch's heads.
torch::nn::Conv2d RegisterHead(torch::nn::Module& net, const char* name, int64_t in, int64_t out) {
  const auto head = net.register_module(name, std::make_shared<torch::nn::Module>());
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
  segmentation_head_ = RegisterHead(*this, "segmentation_head", 4 * width, classes);
  if (uncertainty_channels > 0) {
    uncertainty_head_ = RegisterHead(*this, "uncertainty_head", 4 * width, uncertainty_channels);
  }
}

Scores SegmentationNetImpl::Forward(const torch::Tensor& images) {
  CheckImages(images);
  return Heads(encoder_(images));
}

torch::Tensor SegmentationNetImpl::FirstLayer(const torch::Tensor& images) {
  CheckImages(images);
  return encoder_->FirstLayer(images);
}

Scores SegmentationNetImpl::AfterFirstLayer(const torch::Tensor& first_layer, const LayerDropout& dropout) {
  return Heads(encoder_->AfterFirstLayer(first_layer, dropout));
}

void SegmentationNetImpl::DivideLogits(double temperature) {
  torch::NoGradGuard no_grad;
  segmentation_head_->weight.div_(temperature);
  segmentation_head_->bias.div_(temperature);
}

Scores SegmentationNetImpl::Heads(const EncoderFeatures& encoded) {
  const torch::Tensor features = decoder_(encoded);
  Scores scores;
  scores.logits = segmentation_head_(features);
  if (!uncertainty_head_.is_empty()) {
    scores.uncertainty = uncertainty_head_(is_uncertainty_detached_ ? features.detach() : features);
  }
  return scores;
}

std::vector<UncertaintyKind> LearnedKinds(const ModelSpec& spec) {
  if (spec.kind != ModelKind::kStudent) return {};
  if (spec.learned.empty()) return {UncertaintyKind::kPredictiveStddev};
  return spec.learned;
}

SegmentationNet MakeNetwork(const ModelSpec& spec) {
  const bool has_dropout = spec.sampling.method == SamplingMethod::kMcDropout;
  return SegmentationNet(spec.width, spec.class_count(), static_cast<int64_t>(LearnedKinds(spec).size()),
                         has_dropout ? spec.sampling.dropout : 0);
}

}  // namespace candor
