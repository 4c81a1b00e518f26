// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/teacher_maps.h"

#include <cmath>
#include <utility>

#include "core/base/status_macros.h"

namespace candor {

TeacherMaps::TeacherMaps(Teacher teacher, const UncertaintyLossOptions& options)
    : teacher_(std::move(teacher)), kinds_(options.targets), population_stddev_(options.population_stddev) {}

absl::StatusOr<torch::Tensor> TeacherMaps::Of(const torch::Tensor& images) const {
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  ASSIGN_OR_RETURN(const std::vector<Segmentation> answers, Ask(images));
  torch::Tensor maps =
      torch::empty({images.size(0), static_cast<int64_t>(kinds_.size()), height, width}, torch::kFloat32);
  float* out = maps.data_ptr<float>();
  for (const Segmentation& answer : answers) {
    for (size_t k = 0; k < kinds_.size(); ++k, out += height * width) {
      const float scale = Scale(kinds_[k]);
      const std::vector<float>& map = answer.kinds[k].map;
      for (size_t i = 0; i < map.size(); ++i) out[i] = map[i] * scale;
    }
  }
  return maps.to(images.device());
}

absl::StatusOr<std::vector<Segmentation>> TeacherMaps::Ask(const torch::Tensor& images) const {
  const torch::InferenceMode inference;  // here only: the maps take part in a loss
  const PictureSize size = {static_cast<int>(images.size(2)), static_cast<int>(images.size(3))};
  std::vector<KindRequest> requests;
  for (const UncertaintyKind kind : kinds_) requests.push_back({kind, /*want_map=*/true});
  return teacher_.predictor->Predict(images, size, {requests}, nullptr);
}

float TeacherMaps::Scale(UncertaintyKind kind) const {
  const float members = static_cast<float>(teacher_.predictions);
  const bool shrink = population_stddev_ && kind == UncertaintyKind::kPredictiveStddev;
  const float stddev = shrink ? std::sqrt((members - 1) / members) : 1.0f;
  return stddev / UncertaintyKindMax(kind, teacher_.classes);
}

}  // namespace candor
