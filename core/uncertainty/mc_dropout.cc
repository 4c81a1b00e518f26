// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/mc_dropout.h"

#include <utility>

#include "core/nn/dropout_mask.h"

namespace candor {

McDropoutMembers::McDropoutMembers(SegmentationNet net, int passes, float dropout)
    : net_(std::move(net)), passes_(passes), dropout_(dropout) {}

Scores McDropoutMembers::Run(int index, const torch::Tensor& images) {
  if (index == 0) first_layer_ = net_->FirstLayer(images);
  const Scores scores = net_->AfterFirstLayer(first_layer_, [&](const torch::Tensor& x, int layer) {
    const auto seed = static_cast<uint32_t>(4 * index + layer);
    return x * DropoutMask(seed, dropout_, x.size(1), x.size(2), x.size(3)).to(x.device());
  });
  if (index == passes_ - 1) first_layer_ = torch::Tensor();
  return scores;
}

}  // namespace candor
