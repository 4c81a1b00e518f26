// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/model/model_spec.h"
#include "core/model/safetensors.h"

namespace candor {

// Turns weights into a bundle: converts them to `store`, fills spec.uncertainty, computes the known answer from what is
// stored, writes. Errors of ConvertFloats, MakeCpuPredictor and WriteBundle. May throw c10::Error.
absl::Status WriteModel(ModelSpec spec, std::vector<TensorFile> members, DType store, const std::string& directory);

// The same with weights as they are to be stored.
absl::Status WriteStoredModel(ModelSpec spec, const std::vector<TensorFile>& members, const std::string& directory);

}  // namespace candor
