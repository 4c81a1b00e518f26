// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/objective.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "core/base/status_macros.h"
#include "core/nn/deeplab.h"
#include "trainer/training/losses.h"
#include "trainer/training/student_losses.h"

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
        teacher_(std::move(teacher)),
        options_(options) {
    if (options.detach_features) net_->DetachUncertainty();
  }

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    ASSIGN_OR_RETURN(const torch::Tensor targets, Targets(batch.images));
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
  // The teacher's maps [N, K, H, W] as shares of their ranges.
  absl::StatusOr<torch::Tensor> Targets(const torch::Tensor& images) {
    const int64_t height = images.size(2);
    const int64_t width = images.size(3);
    std::vector<KindRequest> requests;
    for (const UncertaintyKind kind : options_.targets) requests.push_back({kind, /*want_map=*/true});
    ASSIGN_OR_RETURN(const std::vector<Segmentation> answers, AskTeacher(images, requests));
    torch::Tensor targets =
        torch::empty({images.size(0), static_cast<int64_t>(requests.size()), height, width}, torch::kFloat32);
    float* out = targets.data_ptr<float>();
    for (const Segmentation& answer : answers) {
      for (size_t k = 0; k < requests.size(); ++k, out += height * width) {
        const float scale = Scale(requests[k].kind);
        const std::vector<float>& map = answer.kinds[k].map;
        for (size_t i = 0; i < map.size(); ++i) out[i] = map[i] * scale;
      }
    }
    return targets.to(images.device());
  }

  absl::StatusOr<std::vector<Segmentation>> AskTeacher(const torch::Tensor& images,
                                                       const std::vector<KindRequest>& requests) {
    const torch::InferenceMode inference;
    const PictureSize size = {static_cast<int>(images.size(2)), static_cast<int>(images.size(3))};
    return teacher_.predictor->Predict(images, size, {requests}, nullptr);
  }

  float Scale(UncertaintyKind kind) const {
    const float members = static_cast<float>(teacher_.predictions);
    const bool shrink = options_.population_stddev && kind == UncertaintyKind::kPredictiveStddev;
    const float stddev = shrink ? std::sqrt((members - 1) / members) : 1.0f;
    return stddev / UncertaintyKindMax(kind, teacher_.classes);
  }

  SegmentationNet net_;
  const TrainingPrecision precision_;
  const torch::Tensor class_weights_;
  const Teacher teacher_;
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
