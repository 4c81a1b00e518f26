// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/optimizer.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/nn/gaussian_weights.h"
#include "core/nn/rank_one.h"

namespace candor {
namespace {

using Parameters = torch::OrderedDict<std::string, torch::Tensor>;

bool IsDecayed(const std::string& key, const Parameters& parameters) {
  const absl::string_view name = absl::string_view(key).substr(key.rfind('.') + 1);
  if (name == kWeightRho || name == kOutFactors || name == kInFactors) return false;
  const std::string rho = absl::StrCat(absl::StripSuffix(key, name), kWeightRho);
  return name != "weight" || !parameters.contains(rho);
}

}  // namespace

MomentumSgd::MomentumSgd(const SegmentationNet& net, const OptimizerOptions& options) : options_(options), groups_(4) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    groups_[g].learning_rate = options.learning_rate * (g % 2 == 0 ? 1 : options.decoder_factor);
    groups_[g].weight_decay = g < 2 ? options.weight_decay : 0;
  }
  const Parameters parameters = net->named_parameters();
  for (const auto& item : parameters) {
    if (!item.value().requires_grad()) continue;
    const bool is_encoder = absl::StartsWith(item.key(), "encoder.");
    Group& group = groups_[(IsDecayed(item.key(), parameters) ? 0 : 2) + (is_encoder ? 0 : 1)];
    group.parameters.push_back(item.value());
    group.momentum.push_back(torch::zeros_like(item.value()));
    buffers_.emplace_back(item.key(), group.momentum.back());
  }
  const auto is_empty = [](const Group& group) { return group.parameters.empty(); };
  groups_.erase(std::remove_if(groups_.begin(), groups_.end(), is_empty), groups_.end());
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
    at::_fused_sgd_(group.parameters, gradients, group.momentum, group.weight_decay, options_.momentum,
                    group.learning_rate * factor, /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                    is_first_step_);
  }
  is_first_step_ = false;
}

}  // namespace candor
