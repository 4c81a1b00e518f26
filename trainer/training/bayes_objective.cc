// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/bayes_objective.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "core/nn/gaussian_weights.h"
#include "trainer/data/dataset.h"
#include "trainer/training/weight_divergence.h"

namespace candor {
namespace {

double WarmUp(const TensorBatch& batch, double share) {
  const double length = share * static_cast<double>(batch.steps);
  return length > 0 ? std::min(1.0, static_cast<double>(batch.step) / length) : 1;
}

class BayesObjective : public Objective {
 public:
  BayesObjective(const SegmentationNet& net, std::unique_ptr<Objective> cross_entropy, const BayesOptions& options)
      : cross_entropy_(std::move(cross_entropy)), options_(options) {
    for (const auto& module : net->modules(/*include_self=*/false)) {
      auto* conv = module->as<torch::nn::Conv2d>();
      if (conv == nullptr) continue;
      auto parameters = conv->named_parameters(/*recurse=*/false);
      if (const torch::Tensor* rho = parameters.find(kWeightRho)) weights_.emplace_back(conv->weight, *rho);
    }
  }

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    ASSIGN_OR_RETURN(Losses losses, cross_entropy_->Compute(batch));
    const auto pixels = batch.labels.ne(kIgnoreLabel).sum().item<int64_t>();
    const double weight = options_.kl_weight * WarmUp(batch, options_.kl_warmup);
    if (pixels == 0 || weight == 0) return losses;
    torch::Tensor divergence = torch::zeros({}, losses.segmentation.options());
    for (const auto& [mean, rho] : weights_) divergence += WeightDivergence(mean, DeviationOf(rho), options_);
    losses.total = losses.segmentation + divergence * (weight / static_cast<double>(batch.steps_per_epoch * pixels));
    return losses;
  }

 private:
  const std::unique_ptr<Objective> cross_entropy_;
  const BayesOptions options_;
  std::vector<std::pair<torch::Tensor, torch::Tensor>> weights_;  // means and rho, shared with the network
};

}  // namespace

std::unique_ptr<Objective> MakeBayesObjective(SegmentationNet net, TrainingPrecision precision,
                                              torch::Tensor class_weights, const BayesOptions& options) {
  auto cross_entropy = MakeSegmentationObjective(net, precision, std::move(class_weights));
  return std::make_unique<BayesObjective>(net, std::move(cross_entropy), options);
}

}  // namespace candor
