// SPDX-License-Identifier: Apache-2.0
#include "core/nn/weights.h"

#include <cmath>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

void Collect(const torch::nn::Module& module, const std::string& prefix, NamedTensors* entries) {
  for (const auto& item : module.named_parameters(/*recurse=*/false)) {
    entries->emplace_back(prefix + item.key(), item.value());
  }
  for (const auto& item : module.named_buffers(/*recurse=*/false)) {
    entries->emplace_back(prefix + item.key(), item.value());
  }
  for (const auto& child : module.named_children()) {
    Collect(*child.value(), absl::StrCat(prefix, child.key(), "."), entries);
  }
}

NamedTensors StateDict(const SegmentationNet& net) {
  NamedTensors entries;
  Collect(*net, "", &entries);
  return entries;
}

std::string ShapeText(const std::vector<int64_t>& shape) { return absl::StrCat("[", absl::StrJoin(shape, ", "), "]"); }

bool IsCounter(const std::string& name) { return absl::EndsWith(name, ".num_batches_tracked"); }

// The tensor a file entry stands for, checked against `target`.
absl::StatusOr<torch::Tensor> Decode(const NamedTensor& entry, const torch::Tensor& target) {
  if (entry.shape != target.sizes().vec()) {
    return absl::InvalidArgumentError(
        absl::StrCat(entry.name, ": has shape ", ShapeText(entry.shape), ", want ", ShapeText(target.sizes().vec())));
  }
  if (IsCounter(entry.name)) {
    if (entry.dtype != DType::kI64) {
      return absl::InvalidArgumentError(absl::StrCat(entry.name, ": has dtype ", DTypeName(entry.dtype), ", want I64"));
    }
    int64_t count = 0;
    std::memcpy(&count, entry.data.data(), sizeof(count));
    return torch::tensor(count, torch::kInt64);
  }
  auto values = entry.ToFloats();
  if (!values.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(entry.name, ": has dtype ", DTypeName(entry.dtype), ", want F32, F16 or BF16"));
  }
  for (size_t i = 0; i < values->size(); ++i) {
    if (!std::isfinite((*values)[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat(entry.name, ": value ", i, " is ", (*values)[i], ", must be finite"));
    }
  }
  return torch::from_blob(values->data(), target.sizes(), torch::kFloat32).clone();
}

}  // namespace

std::vector<TensorDescription> StateDictOf(const SegmentationNet& net) {
  std::vector<TensorDescription> entries;
  for (const auto& [name, tensor] : StateDict(net)) entries.push_back({name, tensor.sizes().vec()});
  return entries;
}

absl::Status LoadWeights(const TensorFile& file, const SegmentationNet& net) {
  std::unordered_map<std::string, const NamedTensor*> by_name;
  for (const NamedTensor& tensor : file.tensors) by_name[tensor.name] = &tensor;

  const NamedTensors targets = StateDict(net);
  std::vector<torch::Tensor> values;
  for (const auto& [name, target] : targets) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      if (!IsCounter(name)) return absl::InvalidArgumentError(absl::StrCat(name, ": missing from the weights"));
      values.push_back(torch::zeros({}, torch::kInt64));
      continue;
    }
    ASSIGN_OR_RETURN(torch::Tensor value, Decode(*found->second, target));
    values.push_back(std::move(value));
    by_name.erase(found);
  }
  if (!by_name.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(by_name.begin()->first, ": not a tensor of this architecture (",
                                                   by_name.size(), " unknown in all)"));
  }
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < targets.size(); ++i) targets[i].second.copy_(values[i]);
  return absl::OkStatus();
}

TensorFile SaveWeights(const SegmentationNet& net) {
  TensorFile file;
  for (const auto& [name, tensor] : StateDict(net)) {
    const torch::Tensor values = tensor.detach().cpu().contiguous();
    const bool is_counter = values.scalar_type() == torch::kInt64;
    file.tensors.push_back({name, is_counter ? DType::kI64 : DType::kF32, values.sizes().vec(),
                            std::string(static_cast<const char*>(values.data_ptr()), values.nbytes())});
  }
  return file;
}

absl::Status LoadPart(const TensorFile& file, absl::string_view prefix, const SegmentationNet& net) {
  std::unordered_map<std::string, const NamedTensor*> taken;
  for (const NamedTensor& tensor : file.tensors) {
    if (absl::StartsWith(tensor.name, prefix)) taken[tensor.name] = &tensor;
  }
  TensorFile whole = SaveWeights(net);
  for (NamedTensor& tensor : whole.tensors) {
    const auto found = taken.find(tensor.name);
    if (found != taken.end()) tensor = *found->second;
  }
  return LoadWeights(whole, net);
}

}  // namespace candor
