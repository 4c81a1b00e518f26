// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/dirichlet_objective.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"
#include "trainer/training/label_term.h"
#include "trainer/training/student_losses.h"

namespace candor {
namespace {

// Keeps ln p finite (Malinin et al. 2020, appendix A; 1e-3 in the authors' code).
constexpr double kShrinkage = 1e-3;

class DirichletObjective : public Objective {
 public:
  DirichletObjective(SegmentationNet net, TrainingPrecision precision, torch::Tensor class_weights,
                     std::unique_ptr<TeacherSamples> teacher, const StudentOptions& options)
      : net_(std::move(net)),
        precision_(precision),
        class_weights_(std::move(class_weights)),
        teacher_(std::move(teacher)),
        options_(options) {}

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    ASSIGN_OR_RETURN(const torch::Tensor samples, teacher_->Of(batch));
    const double temperature = AnnealedTemperature(options_.temperature, batch.step, batch.steps);
    const auto classes = static_cast<double>(samples.size(2));
    const torch::Tensor softmaxes = torch::softmax(samples / temperature, 2) * (1 - kShrinkage) + kShrinkage / classes;
    const Scores scores = ForwardIn(precision_, net_, batch.images);
    const torch::Tensor log_parameters = scores.logits.to(torch::kFloat32) / temperature;
    const auto places = static_cast<double>(log_parameters.numel()) / classes;
    const double limit = options_.distillation_weight * temperature / places;
    // Of the order of the likelihood's curvature in ln a, as the Fisher information is.
    const torch::Tensor damping = 1 / (1 + log_parameters.detach().logsumexp(1, /*keepdim=*/true).exp());
    log_parameters.register_hook(
        [limit, damping](const torch::Tensor& gradient) { return (gradient * damping).clamp(-limit, limit); });
    const torch::Tensor likelihood = DirichletLikelihood(log_parameters, softmaxes);
    Losses losses;
    losses.uncertainty = temperature * temperature * likelihood;
    AddLabels(scores.logits, batch.labels, class_weights_, options_, &losses);
    return losses;
  }

 private:
  SegmentationNet net_;
  const TrainingPrecision precision_;
  const torch::Tensor class_weights_;
  const std::unique_ptr<TeacherSamples> teacher_;
  const StudentOptions options_;
};

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
  return std::make_unique<DirichletObjective>(std::move(net), precision, std::move(class_weights), std::move(teacher),
                                              options);
}

}  // namespace candor
