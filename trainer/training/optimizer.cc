// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/optimizer.h"

#include "absl/strings/match.h"

namespace candor {

MomentumSgd::MomentumSgd(const SegmentationNet& net, const OptimizerOptions& options) : options_(options), groups_(2) {
  groups_[0].learning_rate = options.learning_rate;
  groups_[1].learning_rate = options.learning_rate * options.decoder_factor;
  for (const auto& item : net->named_parameters()) {
    if (!item.value().requires_grad()) continue;
    Group& group = groups_[absl::StartsWith(item.key(), "encoder.") ? 0 : 1];
    group.parameters.push_back(item.value());
    group.momentum.push_back(torch::zeros_like(item.value()));
    buffers_.emplace_back(item.key(), group.momentum.back());
  }
}

void MomentumSgd::ZeroGradients() {
  for (Group& group : groups_) {
    for (torch::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
  }
}

void MomentumSgd::Step(double factor) {
  torch::NoGradGuard no_grad;
  for (Group& group : groups_) {
    if (group.parameters.empty()) continue;
    std::vector<torch::Tensor> gradients;
    gradients.reserve(group.parameters.size());
    for (const torch::Tensor& parameter : group.parameters) gradients.push_back(parameter.grad());
    at::_fused_sgd_(group.parameters, gradients, group.momentum, options_.weight_decay, options_.momentum,
                    group.learning_rate * factor, /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                    is_first_step_);
  }
  is_first_step_ = false;
}

}  // namespace candor
