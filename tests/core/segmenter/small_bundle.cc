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

namespace {

ModelSpec SmallSpec(ModelKind kind) {
  ModelSpec spec;
  spec.kind = kind;
  spec.width = 8;
  if (kind == ModelKind::kStudent) spec.learned = {UncertaintyKind::kPredictiveStddev};
  spec.uncertainty = UncertaintyKindsOf(spec);
  for (int c = 0; c < kSmallClasses; ++c) spec.classes.push_back({absl::StrCat("class", c), {}});
  return spec;
}

std::vector<TensorFile> FormulaMembers(const ModelSpec& spec, int members) {
  std::vector<TensorFile> files;
  for (int m = 0; m < members; ++m) {
    SegmentationNet net = MakeNetwork(spec);
    FillWithFormula(net, absl::StrCat("small", m));
    files.push_back(SaveWeights(net));
  }
  return files;
}

void Write(const std::string& folder, ModelSpec spec, const std::vector<TensorFile>& files,
           const std::function<void(ModelSpec&)>& change) {
  auto predictor = MakeCpuPredictor(spec, files);
  ASSERT_TRUE(predictor.ok()) << predictor.status();
  auto answer = ComputeKnownAnswer(spec, torch::kCPU, predictor->get());
  ASSERT_TRUE(answer.ok()) << answer.status();
  spec.known_answer = *std::move(answer);
  if (change) change(spec);
  const absl::Status status = WriteBundle(folder, spec, files);
  ASSERT_TRUE(status.ok()) << status;
}

}  // namespace

void WriteSmallBundle(const std::string& folder, ModelKind kind, int members,
                      const std::function<void(ModelSpec&)>& change) {
  const ModelSpec spec = SmallSpec(kind);
  Write(folder, spec, FormulaMembers(spec, members), change);
}

void WriteSubEnsemble(const std::string& folder, int members, bool is_encoder_shared) {
  ModelSpec spec = SmallSpec(ModelKind::kEnsemble);
  spec.is_encoder_shared = is_encoder_shared;
  std::vector<TensorFile> files = FormulaMembers(spec, members);
  for (TensorFile& file : files) {
    for (size_t t = 0; t < file.tensors.size(); ++t) {
      if (file.tensors[t].name.rfind("encoder.", 0) == 0) file.tensors[t] = files[0].tensors[t];
    }
  }
  Write(folder, spec, files, nullptr);
}

}  // namespace candor
