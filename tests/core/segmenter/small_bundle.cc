// SPDX-License-Identifier: Apache-2.0
#include "tests/core/segmenter/small_bundle.h"

#include <torch/torch.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/bundle.h"
#include "core/nn/weights.h"
#include "core/uncertainty/make_predictor.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"

namespace candor {

void WriteSmallBundle(const std::string& folder, ModelKind kind, int members,
                      const std::function<void(ModelSpec&)>& change) {
  ModelSpec spec;
  spec.kind = kind;
  spec.width = 8;
  if (kind == ModelKind::kStudent) spec.learned = {UncertaintyKind::kPredictiveStddev};
  spec.uncertainty = UncertaintyKindsOf(spec);
  for (int c = 0; c < kSmallClasses; ++c) spec.classes.push_back({absl::StrCat("class", c), {}});
  std::vector<TensorFile> files;
  for (int m = 0; m < members; ++m) {
    SegmentationNet net = MakeNetwork(spec);
    FillWithFormula(net, absl::StrCat("small", m));
    files.push_back(SaveWeights(net));
  }
  auto predictor = MakeCpuPredictor(spec, files);
  ASSERT_TRUE(predictor.ok()) << predictor.status();
  auto answer = ComputeKnownAnswer(spec, torch::kCPU, predictor->get());
  ASSERT_TRUE(answer.ok()) << answer.status();
  spec.known_answer = *std::move(answer);
  if (change) change(spec);
  const absl::Status status = WriteBundle(folder, spec, files);
  ASSERT_TRUE(status.ok()) << status;
}

void WriteSubEnsemble(const std::string& folder, int members, bool is_encoder_shared) {
  ModelSpec spec;
  spec.kind = ModelKind::kEnsemble;
  spec.width = 8;
  spec.is_encoder_shared = is_encoder_shared;
  spec.uncertainty = UncertaintyKindsOf(spec);
  for (int c = 0; c < kSmallClasses; ++c) spec.classes.push_back({absl::StrCat("class", c), {}});
  std::vector<TensorFile> files;
  for (int m = 0; m < members; ++m) {
    SegmentationNet net = MakeNetwork(spec);
    FillWithFormula(net, absl::StrCat("small", m));
    files.push_back(SaveWeights(net));
    for (size_t t = 0; t < files[m].tensors.size(); ++t) {
      if (files[m].tensors[t].name.rfind("encoder.", 0) == 0) files[m].tensors[t] = files[0].tensors[t];
    }
  }
  auto predictor = MakeCpuPredictor(spec, files);
  ASSERT_TRUE(predictor.ok()) << predictor.status();
  auto answer = ComputeKnownAnswer(spec, torch::kCPU, predictor->get());
  ASSERT_TRUE(answer.ok()) << answer.status();
  spec.known_answer = *std::move(answer);
  const absl::Status status = WriteBundle(folder, spec, files);
  ASSERT_TRUE(status.ok()) << status;
}

}  // namespace candor
