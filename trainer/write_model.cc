// SPDX-License-Identifier: Apache-2.0
#include "trainer/write_model.h"

#include <torch/torch.h>

#include <memory>
#include <utility>

#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/uncertainty/make_predictor.h"

namespace candor {

absl::Status WriteModel(ModelSpec spec, std::vector<TensorFile> members, DType store, const std::string& directory) {
  for (TensorFile& member : members) RETURN_IF_ERROR(ConvertFloats(store, &member));
  return WriteStoredModel(std::move(spec), members, directory);
}

absl::Status WriteStoredModel(ModelSpec spec, const std::vector<TensorFile>& members, const std::string& directory) {
  spec.uncertainty = UncertaintyKindsOf(spec);
  ASSIGN_OR_RETURN(const std::unique_ptr<Predictor> predictor, MakeCpuPredictor(spec, members));
  ASSIGN_OR_RETURN(spec.known_answer, ComputeKnownAnswer(spec, torch::kCPU, predictor.get()));
  return WriteBundle(directory, std::move(spec), members);
}

}  // namespace candor
