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

}  // namespace

SegmentationNetImpl::SegmentationNetImpl(int64_t width, int64_t classes, bool has_uncertainty_head)
    : encoder_(register_module("encoder", ResNetEncoder(width))),
      decoder_(register_module("decoder", DeepLabDecoder(width))) {
  segmentation_head_ = RegisterHead(*this, "segmentation_head", 4 * width, classes);
  if (has_uncertainty_head) uncertainty_head_ = RegisterHead(*this, "uncertainty_head", 4 * width, 1);
}

Scores SegmentationNetImpl::Forward(const torch::Tensor& images) {
  TORCH_CHECK(images.dim() == 4 && images.size(1) == 3 && images.size(2) % 16 == 0 && images.size(3) % 16 == 0,
              "images: want [N, 3, H, W] with H and W multiples of 16, got ", images.sizes());
  const torch::Tensor features = decoder_(encoder_(images));
  return {segmentation_head_(features), uncertainty_head_.is_empty() ? torch::Tensor() : uncertainty_head_(features)};
}

SegmentationNet MakeNetwork(const ModelSpec& spec) {
  return SegmentationNet(spec.width, spec.class_count(), spec.kind == ModelKind::kStudent);
}

}  // namespace candor
