// SPDX-License-Identifier: Apache-2.0
//
// Names of tensors in other projects' weight files, to ours (segmentation_models_pytorch's) and back.
#pragma once

#include "absl/status/statusor.h"
#include "core/model/safetensors.h"

namespace candor {

enum class WeightNaming {
  kSmp,          // "encoder.conv1.weight", ...: complete networks
  kTorchvision,  // "conv1.weight", ..., "fc.weight": a classifier, of which the encoder is ours
};

struct TranslatedWeights {
  TensorFile file;  // with our names
  WeightNaming naming = WeightNaming::kSmp;
};

// Recognises the naming and renames. A "model." before every name (Lightning checkpoints) is taken off; torchvision's
// "fc." is dropped. InvalidArgument: neither naming.
absl::StatusOr<TranslatedWeights> TranslateFromForeign(TensorFile file);

// The encoder's tensors under torchvision's names.
TensorFile ToTorchvision(const TensorFile& file);

}  // namespace candor
