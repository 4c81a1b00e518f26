// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/knowledge_objective.h"

#include <utility>

#include "trainer/training/sample_objective.h"

namespace candor {
namespace {

torch::Tensor KnowledgeLoss(const torch::Tensor& samples, const Scores& scores, double temperature) {
  const torch::Tensor target = torch::softmax(samples / temperature, 2).mean(0);
  const torch::Tensor student = torch::log_softmax(scores.logits.to(torch::kFloat32) / temperature, 1);
  return temperature * temperature * -(target * student).sum(1).mean();
}

}  // namespace

std::unique_ptr<Objective> MakeKnowledgeObjective(SegmentationNet net, TrainingPrecision precision,
                                                  torch::Tensor class_weights, std::unique_ptr<TeacherSamples> teacher,
                                                  const StudentOptions& options) {
  const auto loss = [temperature = options.temperature](const torch::Tensor& samples, const Scores& scores,
                                                        const TensorBatch& /*batch*/) {
    return KnowledgeLoss(samples, scores, temperature);
  };
  return MakeSampleObjective(std::move(net), precision, std::move(class_weights), std::move(teacher), options, loss);
}

}  // namespace candor
