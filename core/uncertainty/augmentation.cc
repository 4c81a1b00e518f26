// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/augmentation.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace candor {
namespace {

// `size`, a multiple of 16, scaled to the nearest one.
int64_t ScaledSize(int64_t size, float scale) {
  return std::max<int64_t>(1, std::lround(static_cast<double>(size) * scale / 16)) * 16;
}

torch::Tensor Resize(const torch::Tensor& x, int64_t height, int64_t width) {
  if (x.size(2) == height && x.size(3) == width) return x;
  return torch::upsample_bilinear2d(x, {height, width}, /*align_corners=*/true);
}

torch::Tensor Mirror(const torch::Tensor& x) { return x.flip({3}); }

}  // namespace

AugmentedMembers::AugmentedMembers(std::shared_ptr<Network> network, std::vector<AugmentedView> views)
    : network_(std::move(network)), views_(std::move(views)) {}

Scores AugmentedMembers::Run(int index, const torch::Tensor& images) {
  const AugmentedView& view = views_[index];
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  torch::Tensor seen = Resize(images, ScaledSize(height, view.scale), ScaledSize(width, view.scale));
  if (view.flip) seen = Mirror(seen);
  torch::Tensor logits = network_->Forward(seen).logits;
  if (view.flip) logits = Mirror(logits);
  return {Resize(logits, height / 4, width / 4), {}};
}

}  // namespace candor
