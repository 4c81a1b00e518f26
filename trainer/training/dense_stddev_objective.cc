// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/dense_stddev_objective.h"

#include <utility>

#include "core/base/status_macros.h"
#include "trainer/training/losses.h"
#include "trainer/training/student_losses.h"

namespace candor {
namespace {

// Which of `count` pixels lies nearest to each of count / 4 places of the score map (align_corners).
torch::Tensor NearestPixels(int64_t count, torch::Device device) {
  const int64_t places = count / 4;
  if (places == 1) return torch::zeros({1}, torch::TensorOptions(torch::kInt64).device(device));
  const double step = static_cast<double>(count - 1) / static_cast<double>(places - 1);
  return (torch::arange(places, torch::TensorOptions(torch::kFloat64).device(device)) * step).round().to(torch::kInt64);
}

class DenseStddevObjective : public Objective {
 public:
  DenseStddevObjective(SegmentationNet net, TrainingPrecision precision, torch::Tensor class_weights,
                       std::unique_ptr<TeacherSamples> teacher, const UncertaintyLossOptions& options)
      : net_(std::move(net)),
        precision_(precision),
        class_weights_(std::move(class_weights)),
        teacher_(std::move(teacher)),
        options_(options) {
    if (options.detach_features) net_->DetachUncertainty();
  }

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    ASSIGN_OR_RETURN(const torch::Tensor samples, teacher_->Of(batch));
    const torch::Tensor target = torch::softmax(samples, 2).std(0, /*unbiased=*/!options_.population_stddev);
    const Scores scores = ForwardIn(precision_, net_, batch.images);
    const torch::Tensor learned = scores.uncertainty.to(torch::kFloat32).sigmoid();
    Losses losses;
    losses.segmentation = UpsampledCrossEntropy(scores.logits, batch.labels, class_weights_);
    losses.uncertainty =
        Rmsle(learned.flatten(1, 2), target.flatten(1, 2), Counted(batch, target.size(1)), options_.root);
    losses.total = losses.segmentation + options_.weight * static_cast<double>(target.size(1)) * losses.uncertainty;
    return losses;
  }

 private:
  // [N, C h, w], as the maps of all classes below each other; undefined where all places count.
  torch::Tensor Counted(const TensorBatch& batch, int64_t classes) const {
    torch::Tensor counted = CountedPixels(batch, options_.pixels);
    if (!counted.defined()) return counted;
    counted = counted.index_select(1, NearestPixels(counted.size(1), counted.device()))
                  .index_select(2, NearestPixels(counted.size(2), counted.device()));
    return counted.repeat({1, classes, 1});
  }

  SegmentationNet net_;
  const TrainingPrecision precision_;
  const torch::Tensor class_weights_;
  const std::unique_ptr<TeacherSamples> teacher_;
  const UncertaintyLossOptions options_;
};

}  // namespace

std::unique_ptr<Objective> MakeDenseStddevObjective(SegmentationNet net, TrainingPrecision precision,
                                                    torch::Tensor class_weights,
                                                    std::unique_ptr<TeacherSamples> teacher,
                                                    const UncertaintyLossOptions& options) {
  return std::make_unique<DenseStddevObjective>(std::move(net), precision, std::move(class_weights), std::move(teacher),
                                                options);
}

}  // namespace candor
