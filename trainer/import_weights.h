// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/model/model_spec.h"
#include "core/model/safetensors.h"

namespace candor {

struct ImportOptions {
  std::vector<std::string> weights;  // safetensors files, one a member
  ModelKind kind = ModelKind::kSingle;
  std::string classes;              // as for LoadClassList
  std::vector<std::string> groups;  // each as for ParseGroup
  int width = 64;
  Normalisation normalisation;
  Sampling sampling;          // of kSingle: how it is to give several predictions
  DType store = DType::kF16;  // kF32 or kF16: the type on disk
  std::string training;       // recorded in model.json
  uint64_t seed = 0;          // of the parts that a torchvision file does not have
  std::string out;            // the bundle's directory
};

// Turns weight files into a bundle, with the known answer computed from what is stored. Files in torchvision's naming
// give the encoder only: decoder and heads start random, which is logged. Errors name the file: NotFound and DataLoss
// for reading and writing, InvalidArgument for weights that do not fit, AlreadyExists for a bundle that is there.
absl::Status ImportWeights(const ImportOptions& options);

enum class ExportNaming { kSmp, kTorchvision };

// Writes each member of a bundle as float32 safetensors that Python loads: OUT/member_0.safetensors, ..., or
// OUT/model.safetensors for one. kTorchvision: the encoder only, under torchvision's names. Existing files are
// replaced.
absl::Status ExportWeights(const std::string& bundle, ExportNaming naming, const std::string& out);

}  // namespace candor
