// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/observer_objective.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/nn/deeplab.h"
#include "core/nn/weights.h"
#include "trainer/training/student_losses.h"
#include "trainer/training/teacher_maps.h"

namespace candor {
namespace {

torch::Tensor CrossEntropy(const torch::Tensor& scores, const torch::Tensor& targets, const torch::Tensor& mask) {
  const torch::Tensor losses = at::binary_cross_entropy_with_logits(scores, targets, {}, {}, at::Reduction::None);
  if (!mask.defined()) return losses.mean();
  const torch::Tensor counted = mask.to(losses.scalar_type());
  return (losses * counted).sum() / counted.sum().clamp_min(1);
}

class ObserverObjective : public Objective {
 public:
  ObserverObjective(SegmentationNet net, TrainingPrecision precision, Teacher teacher,
                    const UncertaintyLossOptions& options)
      : net_(std::move(net)), precision_(precision), teacher_(std::move(teacher), options), options_(options) {}

  absl::StatusOr<Losses> Compute(const TensorBatch& batch) override {
    ASSIGN_OR_RETURN(const torch::Tensor targets, teacher_.Of(batch.images));
    const Scores scores = ForwardIn(precision_, net_, batch.images);
    const torch::Tensor learned = UpsampleBy4(scores.uncertainty.to(torch::kFloat32));
    const torch::Tensor counted = CountedPixels(batch, options_.pixels);
    Losses losses;
    for (size_t k = 0; k < options_.targets.size(); ++k) {
      const auto kind = static_cast<int64_t>(k);
      const torch::Tensor loss = CrossEntropy(learned.select(1, kind), targets.select(1, kind), counted);
      losses.uncertainty = losses.uncertainty.defined() ? losses.uncertainty + loss : loss;
    }
    losses.total = options_.weight * losses.uncertainty;
    return losses;
  }

 private:
  SegmentationNet net_;
  const TrainingPrecision precision_;
  const TeacherMaps teacher_;
  const UncertaintyLossOptions options_;
};

}  // namespace

absl::Status ObserveTeacher(const Bundle& teacher, TrainingJob* job) {
  const ModelSpec& spec = teacher.spec;
  if (spec.kind != ModelKind::kSingle || spec.sampling.method != SamplingMethod::kMcDropout) {
    return absl::InvalidArgumentError(
        absl::StrCat(teacher.directory,
                     ": the teacher of student_method observer must be of kind single with sampling mc_dropout, is ",
                     ModelKindName(spec.kind), " with ", SamplingMethodName(spec.sampling.method)));
  }
  if (spec.width != job->spec.width) {
    return absl::InvalidArgumentError(absl::StrCat("width: must be the teacher's (", spec.width,
                                                   ") for student_method observer, is ", job->spec.width));
  }
  job->initialise = [&teacher](SegmentationNet& net) -> absl::Status {
    ASSIGN_OR_RETURN(const TensorFile weights, ReadMember(teacher, 0));
    return LoadPart(weights, /*prefix=*/"", net);
  };
  return absl::OkStatus();
}

std::unique_ptr<Objective> MakeObserverObjective(SegmentationNet net, TrainingPrecision precision, Teacher teacher,
                                                 const UncertaintyLossOptions& options) {
  return std::make_unique<ObserverObjective>(std::move(net), precision, std::move(teacher), options);
}

}  // namespace candor
