// SPDX-License-Identifier: Apache-2.0
#include "bench/serving/write_student.h"

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/nn/weights.h"
#include "trainer/write_model.h"

namespace candor {

absl::Status WriteStudent(const std::string& folder) {
  constexpr int kClasses = 19;
  ModelSpec spec;
  spec.kind = ModelKind::kStudent;
  spec.width = 64;
  spec.learned = {UncertaintyKind::kPredictiveStddev};
  for (int c = 0; c < kClasses; ++c) spec.classes.push_back({absl::StrCat("class", c), {}});
  torch::manual_seed(1);
  std::vector<TensorFile> members = {SaveWeights(MakeNetwork(spec))};
  return WriteModel(spec, std::move(members), DType::kF16, folder);
}

}  // namespace candor
