// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/dirichlet_objective.h"

#include <algorithm>
#include <utility>

#include "trainer/training/sample_objective.h"

namespace candor {
namespace {

// Keeps ln p finite (Malinin et al. 2020, appendix A; 1e-3 in the authors' code).
constexpr double kShrinkage = 1e-3;

torch::Tensor DirichletLoss(const torch::Tensor& samples, const Scores& scores, double temperature, double weight) {
  const auto classes = static_cast<double>(samples.size(2));
  const torch::Tensor softmaxes = torch::softmax(samples / temperature, 2) * (1 - kShrinkage) + kShrinkage / classes;
  const torch::Tensor log_parameters = scores.logits.to(torch::kFloat32) / temperature;
  const auto places = static_cast<double>(log_parameters.numel()) / classes;
  const double limit = weight * temperature / places;
  // Of the order of the likelihood's curvature in ln a, as the Fisher information is.
  const torch::Tensor damping = 1 / (1 + log_parameters.detach().logsumexp(1, /*keepdim=*/true).exp());
  log_parameters.register_hook(
      [limit, damping](const torch::Tensor& gradient) { return (gradient * damping).clamp(-limit, limit); });
  return temperature * temperature * DirichletLikelihood(log_parameters, softmaxes);
}

}  // namespace

double AnnealedTemperature(double first, int64_t step, int64_t steps) {
  const double third = static_cast<double>(steps) / 3;
  const double fallen = std::clamp((static_cast<double>(step) - third) / third, 0.0, 1.0);
  return first + (1 - first) * fallen;
}

torch::Tensor DirichletLikelihood(const torch::Tensor& log_parameters, const torch::Tensor& softmaxes) {
  const torch::Tensor parameters = log_parameters.to(torch::kFloat64).exp();
  const torch::Tensor mean_log = softmaxes.log().mean(0).to(torch::kFloat64);
  const torch::Tensor normaliser = parameters.lgamma().sum(1) - parameters.sum(1).lgamma();
  return (normaliser - ((parameters - 1) * mean_log).sum(1)).mean().to(torch::kFloat32);
}

std::unique_ptr<Objective> MakeDirichletObjective(SegmentationNet net, TrainingPrecision precision,
                                                  torch::Tensor class_weights, std::unique_ptr<TeacherSamples> teacher,
                                                  const StudentOptions& options) {
  const auto loss = [first = options.temperature, weight = options.distillation_weight](
                        const torch::Tensor& samples, const Scores& scores, const TensorBatch& batch) {
    return DirichletLoss(samples, scores, AnnealedTemperature(first, batch.step, batch.steps), weight);
  };
  return MakeSampleObjective(std::move(net), precision, std::move(class_weights), std::move(teacher), options, loss);
}

}  // namespace candor
