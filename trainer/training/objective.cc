// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/objective.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/nn/deeplab.h"
#include "trainer/training/losses.h"
#include "trainer/training/student_losses.h"
#include "trainer/training/teacher_maps.h"

namespace candor {
namespace {

class SegmentationObjective : public Objective {
 public:
  SegmentationObjective(SegmentationNet net, TrainingPrecision precision, torch::Tensor class_weights)
      : net_(std::move(net)), precision_(precision), class_weights_(std::move(class_weights)) {}

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    const Scores scores = ForwardIn(precision_, net_, batch.images);
    Losses losses;
    losses.segmentation = UpsampledCrossEntropy(scores.logits, batch.labels, class_weights_);
    losses.total = losses.segmentation;
    return losses;
  }

 private:
  SegmentationNet net_;
  const TrainingPrecision precision_;
  const torch::Tensor class_weights_;
};

class DistillationObjective : public Objective {
 public:
  DistillationObjective(SegmentationNet net, TrainingPrecision precision, torch::Tensor class_weights, Teacher teacher,
                        const UncertaintyLossOptions& options)
      : net_(std::move(net)),
        precision_(precision),
        class_weights_(std::move(class_weights)),
        teacher_(std::move(teacher), options),
        options_(options) {
    if (options.detach_features) net_->DetachUncertainty();
  }

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    ASSIGN_OR_RETURN(const torch::Tensor targets, teacher_.Of(batch.images));
    const Scores scores = ForwardIn(precision_, net_, batch.images);
    Losses losses;
    losses.segmentation = UpsampledCrossEntropy(scores.logits, batch.labels, class_weights_);
    const torch::Tensor learned = UpsampleBy4(scores.uncertainty.to(torch::kFloat32)).sigmoid();
    const torch::Tensor counted = CountedPixels(batch, options_.pixels);
    for (size_t k = 0; k < options_.targets.size(); ++k) {
      const torch::Tensor loss = Rmsle(learned.select(1, k), targets.select(1, k), counted, options_.root);
      losses.uncertainty = losses.uncertainty.defined() ? losses.uncertainty + loss : loss;
    }
    losses.total = losses.segmentation + options_.weight * losses.uncertainty;
    return losses;
  }

 private:
  SegmentationNet net_;
  const TrainingPrecision precision_;
  const torch::Tensor class_weights_;
  const TeacherMaps teacher_;
  const UncertaintyLossOptions options_;
};

}  // namespace

std::unique_ptr<Objective> MakeSegmentationObjective(SegmentationNet net, TrainingPrecision precision,
                                                     torch::Tensor class_weights) {
  return std::make_unique<SegmentationObjective>(std::move(net), precision, std::move(class_weights));
}

std::unique_ptr<Objective> MakeDistillationObjective(SegmentationNet net, TrainingPrecision precision,
                                                     torch::Tensor class_weights, Teacher teacher,
                                                     const UncertaintyLossOptions& options) {
  return std::make_unique<DistillationObjective>(std::move(net), precision, std::move(class_weights),
                                                 std::move(teacher), options);
}

}  // namespace candor
