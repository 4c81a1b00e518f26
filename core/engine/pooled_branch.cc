// SPDX-License-Identifier: Apache-2.0
#include "core/engine/pooled_branch.h"

namespace candor {
namespace {

using torch::Tensor;

Tensor MatrixOf(const Tensor& conv) { return conv.flatten(1).t().contiguous(); }

int64_t PooledChannels(const FoldedWeights& weights) { return weights.aspp_pool.weight.size(0); }

}  // namespace

PooledBranch::PooledBranch(const FoldedWeights& weights, torch::Device device) {
  const Tensor& all = weights.aspp_project.weight;
  const int64_t channels = PooledChannels(weights);
  weight = MatrixOf(weights.aspp_pool.weight).to(device);
  bias = weights.aspp_pool.bias.to(device);
  project = MatrixOf(all.narrow(1, all.size(1) - channels, channels)).to(device);
  project_bias = weights.aspp_project.bias.to(device);
}

Tensor PooledBranch::ProjectionBias(const Tensor& top) const {
  const Tensor mean = top.mean({2, 3}, /*keepdim=*/false, torch::kFloat);
  return torch::addmm(project_bias, torch::relu(torch::addmm(bias, mean, weight)), project);
}

Tensor ProjectionWithoutPooled(const FoldedWeights& weights) {
  const Tensor& all = weights.aspp_project.weight;
  return all.narrow(1, 0, all.size(1) - PooledChannels(weights));
}

}  // namespace candor
