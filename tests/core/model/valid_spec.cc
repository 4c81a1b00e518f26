// SPDX-License-Identifier: Apache-2.0
#include "tests/core/model/valid_spec.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace candor {

ModelSpec ValidSpec(ModelKind kind, int files) {
  ModelSpec spec;
  spec.kind = kind;
  spec.width = 16;
  spec.classes = {{"sky", {1, 2, 3}}, {"road", {4, 5, 6}}, {"car", {7, 8, 255}}};
  if (kind == ModelKind::kStudent) spec.learned = {UncertaintyKind::kPredictiveStddev};
  spec.uncertainty = UncertaintyKindsOf(spec);
  for (int i = 0; i < files; ++i) {
    spec.weights.push_back({absl::StrCat("w", i, ".safetensors"), 100 + i, std::string(64, 'a')});
  }
  spec.known_answer.labels.assign(4096, 0);
  spec.known_answer.uncertainty.assign(4096, 0);
  spec.training = "made up";
  return spec;
}

ModelSpec DropoutSpec() {
  ModelSpec spec = ValidSpec(ModelKind::kSingle, 1);
  spec.sampling.method = SamplingMethod::kMcDropout;
  spec.sampling.passes = 10;
  spec.sampling.dropout = 0.2f;
  spec.uncertainty = UncertaintyKindsOf(spec);
  return spec;
}

ModelSpec AugmentedSpec() {
  ModelSpec spec = ValidSpec(ModelKind::kSingle, 1);
  spec.sampling.method = SamplingMethod::kAugmentation;
  spec.sampling.views = {{1, false}, {1, true}, {1.5f, false}};
  spec.uncertainty = UncertaintyKindsOf(spec);
  return spec;
}

ModelSpec Calibrated(ModelSpec spec) {
  Calibration calibration;
  calibration.data = "101 pictures";
  calibration.temperature = 1.25f;
  calibration.verdict = {UncertaintyKind::kPredictiveEntropy, 0.25f, 0.5f, 0.05f, 0.1f};
  calibration.reference = {UncertaintyKind::kMargin, std::vector<float>(kReferenceBins, 1.0f / 64)};
  spec.calibration = calibration;
  return spec;
}

}  // namespace candor
