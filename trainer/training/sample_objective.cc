// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/sample_objective.h"

#include <utility>

#include "core/base/status_macros.h"
#include "trainer/training/losses.h"
#include "trainer/training/student_losses.h"

namespace candor {
namespace {

class SampleObjective : public Objective {
 public:
  SampleObjective(SegmentationNet net, TrainingPrecision precision, torch::Tensor class_weights,
                  std::unique_ptr<TeacherSamples> teacher, const StudentOptions& options, SampleLoss loss)
      : net_(std::move(net)),
        precision_(precision),
        class_weights_(std::move(class_weights)),
        teacher_(std::move(teacher)),
        distillation_weight_(options.distillation_weight),
        label_weight_(options.label_weight),
        loss_(std::move(loss)) {}

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    ASSIGN_OR_RETURN(const torch::Tensor samples, teacher_->Of(batch));
    const Scores scores = ForwardIn(precision_, net_, batch.images);
    Losses losses;
    losses.uncertainty = loss_(samples, scores, batch);
    const bool counts = label_weight_ > 0;
    losses.segmentation =
        UpsampledCrossEntropy(counts ? scores.logits : scores.logits.detach(), batch.labels, class_weights_);
    losses.total = distillation_weight_ * losses.uncertainty;
    if (counts) losses.total = losses.total + label_weight_ * losses.segmentation;
    return losses;
  }

 private:
  SegmentationNet net_;
  const TrainingPrecision precision_;
  const torch::Tensor class_weights_;
  const std::unique_ptr<TeacherSamples> teacher_;
  const double distillation_weight_;
  const double label_weight_;
  const SampleLoss loss_;
};

}  // namespace

std::unique_ptr<Objective> MakeSampleObjective(SegmentationNet net, TrainingPrecision precision,
                                               torch::Tensor class_weights, std::unique_ptr<TeacherSamples> teacher,
                                               const StudentOptions& options, SampleLoss loss) {
  return std::make_unique<SampleObjective>(std::move(net), precision, std::move(class_weights), std::move(teacher),
                                           options, std::move(loss));
}

}  // namespace candor
