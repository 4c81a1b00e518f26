// SPDX-License-Identifier: Apache-2.0
//
// Weight files.
#include "core/model/safetensors.h"

#include <map>
#include <vector>

#include "fuzz/target.h"

namespace candor {
namespace {

using Tensors = std::map<std::string, const NamedTensor*>;

Tensors ByName(const TensorFile& file) {
  Tensors tensors;
  for (const NamedTensor& tensor : file.tensors) {
    Demand(tensors.emplace(tensor.name, &tensor).second, "no name is there twice");
  }
  return tensors;
}

bool AreEqual(const NamedTensor& a, const NamedTensor& b) {
  return a.dtype == b.dtype && a.shape == b.shape && a.data == b.data;
}

void DemandSound(const NamedTensor& tensor) {
  Demand(tensor.element_count() >= 0, "a tensor has a size");
  Demand(static_cast<int64_t>(tensor.data.size()) == tensor.element_count() * DTypeBytes(tensor.dtype),
         "a tensor has the bytes of its shape");
  const auto floats = tensor.ToFloats();
  const bool is_floating = tensor.dtype != DType::kI64 && tensor.dtype != DType::kU8;
  Demand(floats.ok() == is_floating, "floating tensors are floats", floats.status().ToString());
  if (floats.ok()) {
    Demand(static_cast<int64_t>(floats->size()) == tensor.element_count(), "a float for each element");
  }
}

void Read(absl::string_view bytes) {
  auto file = ParseSafetensors(bytes);
  if (!file.ok()) return DemandRefusal(file.status());
  for (const NamedTensor& tensor : file->tensors) DemandSound(tensor);
  const auto written = SerializeSafetensors(*file);
  Demand(written.ok(), "what is read can be written", written.status().ToString());
  const auto again = ParseSafetensors(*written);
  Demand(again.ok(), "what is written can be read", again.status().ToString());
  const Tensors before = ByName(*file);
  const Tensors after = ByName(*again);
  Demand(before.size() == after.size() && file->metadata == again->metadata, "nothing is lost");
  for (const auto& [name, tensor] : before) {
    Demand(after.count(name) == 1 && AreEqual(*tensor, *after.at(name)), "every tensor is kept", name);
  }
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    TensorFile converted = *file;
    const absl::Status status = ConvertFloats(dtype, &converted);
    if (!status.ok()) DemandRefusal(status);
    for (const NamedTensor& tensor : converted.tensors) DemandSound(tensor);
  }
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  candor::Read(candor::AsText(data, size));
  return 0;
}
