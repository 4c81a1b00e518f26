// SPDX-License-Identifier: Apache-2.0
//
// The writer keeps to the reader's own limits: what it writes can be read.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/model/safetensors.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

constexpr char kMetadataKey[] = "__metadata__";
constexpr SafetensorsLimits kLimits;

std::string Quoted(const std::string& text) { return nlohmann::json(text).dump(); }  // `text` is UTF-8

absl::Status CheckTensor(const NamedTensor& tensor) {
  const std::string path = ForMessage(tensor.name);
  if (tensor.name == kMetadataKey) return JsonError(path, "is a reserved name");
  if (!IsUtf8(tensor.name)) return JsonError(path, "name must be UTF-8");
  if (tensor.name.size() > static_cast<size_t>(kLimits.max_name_bytes)) {
    return JsonError(
        path, absl::StrCat("name must have at most ", kLimits.max_name_bytes, " bytes, has ", tensor.name.size()));
  }
  int64_t bytes = DTypeBytes(tensor.dtype);
  for (int64_t size : tensor.shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes)) {
      return JsonError(path,
                       absl::StrCat("shape must be of 0 to 2^63 bytes, is [", absl::StrJoin(tensor.shape, ", "), "]"));
    }
  }
  if (bytes != static_cast<int64_t>(tensor.data.size())) {
    return JsonError(path, absl::StrCat("must have the ", bytes, " bytes of its shape, has ", tensor.data.size()));
  }
  return absl::OkStatus();
}

absl::Status CheckFile(const TensorFile& file, const std::vector<const NamedTensor*>& ordered) {
  if (file.tensors.size() > static_cast<size_t>(kLimits.max_tensors)) {
    return JsonError("tensors", absl::StrCat("must be at most ", kLimits.max_tensors, ", are ", file.tensors.size()));
  }
  std::vector<absl::string_view> names;
  for (const NamedTensor* tensor : ordered) {
    RETURN_IF_ERROR(CheckTensor(*tensor));
    names.push_back(tensor->name);
  }
  std::sort(names.begin(), names.end());
  const auto repeated = std::adjacent_find(names.begin(), names.end());
  if (repeated != names.end()) return JsonError(ForMessage(*repeated), "name comes twice");
  for (const auto& [key, value] : file.metadata) {
    if (!IsUtf8(key) || !IsUtf8(value)) return JsonError(KeyPath(kMetadataKey, key), "must be UTF-8");
  }
  return absl::OkStatus();
}

std::string HeaderOf(const TensorFile& file, const std::vector<const NamedTensor*>& ordered) {
  std::vector<std::string> parts;
  if (!file.metadata.empty()) {
    parts.push_back(absl::StrCat("\"", kMetadataKey, "\":", nlohmann::json(file.metadata).dump()));
  }
  size_t begin = 0;
  for (const NamedTensor* tensor : ordered) {
    const size_t end = begin + tensor->data.size();
    parts.push_back(absl::StrCat(Quoted(tensor->name), ":{\"dtype\":\"", DTypeName(tensor->dtype), "\",\"shape\":[",
                                 absl::StrJoin(tensor->shape, ","), "],\"data_offsets\":[", begin, ",", end, "]}"));
    begin = end;
  }
  std::string header = absl::StrCat("{", absl::StrJoin(parts, ","), "}");
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

}  // namespace

absl::StatusOr<std::string> SerializeSafetensors(const TensorFile& file) {
  std::vector<const NamedTensor*> ordered;
  for (const NamedTensor& tensor : file.tensors) ordered.push_back(&tensor);
  std::sort(ordered.begin(), ordered.end(), [](const NamedTensor* a, const NamedTensor* b) {
    const int a_bytes = DTypeBytes(a->dtype);
    const int b_bytes = DTypeBytes(b->dtype);
    return a_bytes != b_bytes ? a_bytes > b_bytes : a->name < b->name;
  });
  RETURN_IF_ERROR(CheckFile(file, ordered));
  const std::string header = HeaderOf(file, ordered);
  if (header.size() > static_cast<size_t>(kLimits.max_header_bytes)) {
    return JsonError("header",
                     absl::StrCat("must have at most ", kLimits.max_header_bytes, " bytes, has ", header.size()));
  }
  const uint64_t length = header.size();
  size_t total = sizeof(length) + header.size();
  for (const NamedTensor* tensor : ordered) total += tensor->data.size();
  std::string bytes;
  bytes.reserve(total);
  bytes.append(reinterpret_cast<const char*>(&length), sizeof(length));  // little-endian, as this machine is
  bytes.append(header);
  for (const NamedTensor* tensor : ordered) bytes.append(tensor->data);
  return bytes;
}

}  // namespace candor
