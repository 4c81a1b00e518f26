// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/encoder_weights.h"

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/in_file.h"
#include "core/base/log.h"
#include "core/base/npy.h"
#include "core/base/status_macros.h"
#include "core/model/safetensors.h"
#include "core/nn/gaussian_weights.h"
#include "core/nn/weights.h"
#include "trainer/weight_names.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxBytes = int64_t{1} << 30;

// "layer1.0.conv2.bn.bias" -> "layer1.0.bn2.bias", "layer2.0.downsample.0.bn.bias" -> "layer2.0.downsample.1.bias".
std::string TorchvisionName(const std::string& stem) {
  if (!absl::StrContains(stem, ".bn.")) return stem;
  return absl::StrReplaceAll(stem,
                             {{"conv1.bn.", "bn1."}, {"conv2.bn.", "bn2."}, {"downsample.0.bn.", "downsample.1."}});
}

// Tensors by our names, and the file of each.
struct GivenWeights {
  std::map<std::string, NamedTensor> tensors;
  std::map<std::string, std::string> files;
};

absl::StatusOr<NamedTensor> ReadArray(const fs::path& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path.string(), kMaxBytes));
  const auto array = DecodeNpyArray(bytes);
  if (!array.ok()) return InFile(path.string(), array.status());
  NamedTensor tensor;
  tensor.name = absl::StrCat("encoder.", TorchvisionName(path.stem().string()));
  tensor.shape = array->shape;
  tensor.data.assign(reinterpret_cast<const char*>(array->values.data()), array->values.size() * sizeof(float));
  return tensor;
}

absl::StatusOr<GivenWeights> ReadFolder(const std::string& path) {
  GivenWeights given;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
    if (entry.path().extension() != ".npy") continue;
    ASSIGN_OR_RETURN(NamedTensor tensor, ReadArray(entry.path()));
    given.files[tensor.name] = entry.path().string();
    given.tensors[tensor.name] = std::move(tensor);
  }
  if (error) return absl::DataLossError(absl::StrCat(path, ": ", error.message()));
  return given;
}

absl::StatusOr<GivenWeights> ReadEncoder(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return ReadFolder(path);
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxBytes));
  auto file = ParseSafetensors(bytes);
  if (!file.ok()) return InFile(path, file.status());
  auto weights = TranslateFromForeign(*std::move(file));
  if (!weights.ok()) return InFile(path, weights.status());
  GivenWeights given;
  for (NamedTensor& tensor : weights->file.tensors) {
    given.files[tensor.name] = path;
    given.tensors[tensor.name] = std::move(tensor);
  }
  return given;
}

// Puts what is given into the encoder's tensors of `all` and returns their number; the names of the others go to
// `missing`.
absl::StatusOr<int> TakeEncoder(GivenWeights given, TensorFile* all, std::vector<std::string>* missing) {
  int taken = 0;
  for (NamedTensor& tensor : all->tensors) {
    absl::string_view name = tensor.name;
    if (!absl::ConsumePrefix(&name, "encoder.")) continue;
    const auto found = given.tensors.find(tensor.name);
    if (found == given.tensors.end()) {
      if (tensor.dtype != DType::kI64 && !absl::EndsWith(name, kWeightRho)) missing->emplace_back(name);
      continue;
    }
    if (found->second.shape != tensor.shape) {
      return absl::InvalidArgumentError(absl::StrCat(given.files[tensor.name], ": ", name, ": has shape [",
                                                     absl::StrJoin(found->second.shape, ", "), "], want [",
                                                     absl::StrJoin(tensor.shape, ", "), "]"));
    }
    tensor = std::move(found->second);
    ++taken;
  }
  return taken;
}

}  // namespace

absl::Status LoadEncoder(const std::string& path, const SegmentationNet& net) {
  ASSIGN_OR_RETURN(GivenWeights given, ReadEncoder(path));
  TensorFile all = SaveWeights(net);
  std::vector<std::string> missing;
  ASSIGN_OR_RETURN(const int taken, TakeEncoder(std::move(given), &all, &missing));
  if (taken == 0) return absl::InvalidArgumentError(absl::StrCat(path, ": has no tensor of a ResNet-18 encoder"));
  if (const absl::Status status = LoadWeights(all, net); !status.ok()) return InFile(path, status);
  LogInfo("encoder started from weights", {{"from", path}, {"tensors", taken}});
  if (!missing.empty()) {
    LogWarning("tensors that stay random", {{"count", missing.size()}, {"names", absl::StrJoin(missing, ", ")}});
  }
  return absl::OkStatus();
}

}  // namespace candor
