// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/knowledge_objective.h"

#include <utility>

#include "core/base/status_macros.h"
#include "trainer/training/label_term.h"
#include "trainer/training/student_losses.h"

namespace candor {
namespace {

class KnowledgeObjective : public Objective {
 public:
  KnowledgeObjective(SegmentationNet net, TrainingPrecision precision, torch::Tensor class_weights,
                     std::unique_ptr<TeacherSamples> teacher, const StudentOptions& options)
      : net_(std::move(net)),
        precision_(precision),
        class_weights_(std::move(class_weights)),
        teacher_(std::move(teacher)),
        options_(options) {}

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    ASSIGN_OR_RETURN(const torch::Tensor samples, teacher_->Of(batch));
    const double temperature = options_.temperature;
    const torch::Tensor target = torch::softmax(samples / temperature, 2).mean(0);
    const Scores scores = ForwardIn(precision_, net_, batch.images);
    const torch::Tensor student = torch::log_softmax(scores.logits.to(torch::kFloat32) / temperature, 1);
    Losses losses;
    losses.uncertainty = temperature * temperature * -(target * student).sum(1).mean();
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

std::unique_ptr<Objective> MakeKnowledgeObjective(SegmentationNet net, TrainingPrecision precision,
                                                  torch::Tensor class_weights, std::unique_ptr<TeacherSamples> teacher,
                                                  const StudentOptions& options) {
  return std::make_unique<KnowledgeObjective>(std::move(net), precision, std::move(class_weights), std::move(teacher),
                                              options);
}

}  // namespace candor
