// SPDX-License-Identifier: Apache-2.0
#include "trainer/weight_names.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace candor {
namespace {

constexpr absl::string_view kLightningPrefix = "model.";
constexpr absl::string_view kEncoderPrefix = "encoder.";

bool AllStartWith(const TensorFile& file, absl::string_view prefix) {
  return std::all_of(file.tensors.begin(), file.tensors.end(),
                     [&](const NamedTensor& tensor) { return absl::StartsWith(tensor.name, prefix); });
}

bool Has(const TensorFile& file, absl::string_view name) {
  return std::any_of(file.tensors.begin(), file.tensors.end(),
                     [&](const NamedTensor& tensor) { return tensor.name == name; });
}

}  // namespace

absl::StatusOr<TranslatedWeights> TranslateFromForeign(TensorFile file) {
  if (AllStartWith(file, kLightningPrefix)) {
    for (NamedTensor& tensor : file.tensors) tensor.name.erase(0, kLightningPrefix.size());
  }
  TranslatedWeights result;
  if (Has(file, "encoder.conv1.weight")) {
    result.file = std::move(file);
    return result;
  }
  if (!Has(file, "conv1.weight") || !Has(file, "layer1.0.conv1.weight")) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor names are neither segmentation_models_pytorch's (encoder.conv1.weight) nor torchvision's "
                     "(conv1.weight, layer1.0.conv1.weight); the first is '",
                     file.tensors.empty() ? "" : file.tensors.front().name, "'"));
  }
  result.naming = WeightNaming::kTorchvision;
  result.file.metadata = std::move(file.metadata);
  for (NamedTensor& tensor : file.tensors) {
    if (absl::StartsWith(tensor.name, "fc.")) continue;
    tensor.name = absl::StrCat(kEncoderPrefix, tensor.name);
    result.file.tensors.push_back(std::move(tensor));
  }
  return result;
}

TensorFile ToTorchvision(const TensorFile& file) {
  TensorFile encoder;
  encoder.metadata = file.metadata;
  for (const NamedTensor& tensor : file.tensors) {
    if (!absl::StartsWith(tensor.name, kEncoderPrefix)) continue;
    encoder.tensors.push_back(tensor);
    encoder.tensors.back().name = std::string(absl::StripPrefix(tensor.name, kEncoderPrefix));
  }
  return encoder;
}

}  // namespace candor
