// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/losses.h"

#include "core/nn/deeplab.h"
#include "trainer/data/dataset.h"
#include "trainer/training/fused_cross_entropy.h"

namespace candor {
namespace {

constexpr double kRootFloor = 1e-12;

// The same with Torch's operators, for devices without the fused pass.
torch::Tensor OperatorCrossEntropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                   const torch::Tensor& class_weights) {
  const torch::Tensor scores = UpsampleBy4(logits.to(torch::kFloat32));
  const torch::Tensor targets = labels.to(torch::kInt64);
  const torch::Tensor sum = at::cross_entropy_loss(
      scores, targets, class_weights.defined() ? class_weights : torch::Tensor(), at::Reduction::Sum, kIgnoreLabel);
  const torch::Tensor is_labelled = targets != kIgnoreLabel;
  const torch::Tensor weight =
      class_weights.defined() ? (class_weights.index_select(0, targets.clamp_max(class_weights.size(0) - 1).flatten()) *
                                 is_labelled.flatten())
                                    .sum()
                              : is_labelled.sum().to(torch::kFloat32);
  return sum / weight.clamp_min(1e-12);
}

}  // namespace

torch::Tensor UpsampledCrossEntropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                    const torch::Tensor& class_weights) {
  if (logits.is_cpu()) return FusedCrossEntropy(logits.to(torch::kFloat32), labels, class_weights);
  return OperatorCrossEntropy(logits, labels, class_weights);
}

torch::Tensor Rmsle(const torch::Tensor& prediction, const torch::Tensor& target, const torch::Tensor& mask,
                    UncertaintyRoot root) {
  torch::Tensor squares = (prediction.log1p() - target.log1p()).square();
  torch::Tensor count = torch::full({prediction.size(0)}, prediction.size(1) * prediction.size(2), squares.options());
  if (mask.defined()) {
    const torch::Tensor counted = mask.ne(0).to(squares.scalar_type());
    squares = squares * counted;
    count = counted.sum({1, 2});
  }
  torch::Tensor sums = squares.sum({1, 2});
  if (root == UncertaintyRoot::kBatch) {
    sums = sums.sum(0, /*keepdim=*/true);
    count = count.sum(0, /*keepdim=*/true);
  }
  return (sums / count.clamp_min(1) + kRootFloor).sqrt().mean();
}

}  // namespace candor
