// SPDX-License-Identifier: Apache-2.0
#include "tests/core/model/valid_spec.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace candor {

ModelSpec ValidSpec(ModelKind kind, int files) {
  ModelSpec spec;
  spec.kind = kind;
  spec.width = 16;
  spec.classes = {{"sky", {1, 2, 3}}, {"road", {4, 5, 6}}, {"car", {7, 8, 255}}};
  spec.uncertainty = UncertaintyKindsOf(kind);
  for (int i = 0; i < files; ++i) {
    spec.weights.push_back({absl::StrCat("w", i, ".safetensors"), 100 + i, std::string(64, 'a')});
  }
  spec.known_answer.labels.assign(4096, 0);
  spec.known_answer.uncertainty.assign(4096, 0);
  spec.training = "made up";
  return spec;
}

}  // namespace candor
