// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/safetensors.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr int kMaxDepth = 4;
constexpr char kMetadataKey[] = "__metadata__";

// A header entry: a tensor without its bytes.
struct Entry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  int64_t begin = 0;  // into the data after the header
  int64_t end = 0;
};

absl::StatusOr<absl::string_view> FindHeader(absl::string_view bytes, const SafetensorsLimits& limits) {
  if (bytes.size() < kLengthBytes) {
    return JsonError("header", absl::StrCat("must have 8 bytes of length, the file has ", bytes.size()));
  }
  uint64_t length = 0;  // little-endian, as this machine is
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > static_cast<uint64_t>(limits.max_header_bytes)) {
    return JsonError("header", absl::StrCat("must have at most ", limits.max_header_bytes, " bytes, has ", length));
  }
  if (length > bytes.size() - kLengthBytes) {
    return JsonError("header", absl::StrCat("must lie within the file, has ", length, " bytes where ",
                                            bytes.size() - kLengthBytes, " are left"));
  }
  const absl::string_view header = bytes.substr(kLengthBytes, length);
  if (header.empty() || header.front() != '{') return JsonError("header", "must begin with '{'");
  return header;
}

absl::StatusOr<DType> ReadDType(const json& value, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string name, ReadString(value, path));
  for (DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kI64, DType::kU8}) {
    if (DTypeName(dtype) == name) return dtype;
  }
  constexpr absl::string_view kWanted = "must be F32, F16, BF16, I64 or U8";
  for (absl::string_view other : {"BOOL", "I8", "I16", "U16", "I32", "U32", "U64", "F64", "C64", "F8_E4M3", "F8_E5M2",
                                  "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4"}) {
    if (name == other) return JsonError(path, absl::StrCat(name, " is not supported, ", kWanted));
  }
  return JsonError(path, absl::StrCat("unknown dtype \"", ForMessage(name), "\", ", kWanted));
}

absl::StatusOr<std::vector<int64_t>> ReadSizes(const json& value, const std::string& path) {
  std::vector<int64_t> sizes;
  sizes.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    ASSIGN_OR_RETURN(const int64_t size,
                     ReadInteger(value[i], ItemPath(path, i), 0, std::numeric_limits<int64_t>::max()));
    sizes.push_back(size);
  }
  return sizes;
}

absl::StatusOr<int64_t> BytesOf(const Entry& entry, const std::string& path) {
  int64_t bytes = DTypeBytes(entry.dtype);
  for (int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) {
      return JsonError(KeyPath(path, "shape"), "must be of less than 2^63 bytes, overflows");
    }
  }
  return bytes;
}

absl::StatusOr<Entry> ReadEntry(const std::string& name, const json& value, const SafetensorsLimits& limits) {
  const std::string path = ForMessage(name);
  if (name.size() > static_cast<size_t>(limits.max_name_bytes)) {
    return JsonError(path, absl::StrCat("name must have at most ", limits.max_name_bytes, " bytes, has ", name.size()));
  }
  RETURN_IF_ERROR(CheckKeys(value, path, {"dtype", "shape", "data_offsets"}));
  Entry entry;
  entry.name = name;
  ASSIGN_OR_RETURN(entry.dtype, ReadDType(value["dtype"], KeyPath(path, "dtype")));
  RETURN_IF_ERROR(CheckArray(value["shape"], KeyPath(path, "shape"), 0, std::numeric_limits<int>::max()));
  ASSIGN_OR_RETURN(entry.shape, ReadSizes(value["shape"], KeyPath(path, "shape")));
  RETURN_IF_ERROR(CheckArray(value["data_offsets"], KeyPath(path, "data_offsets"), 2, 2));
  ASSIGN_OR_RETURN(const std::vector<int64_t> offsets, ReadSizes(value["data_offsets"], KeyPath(path, "data_offsets")));
  entry.begin = offsets[0];
  entry.end = offsets[1];
  if (entry.end < entry.begin) {
    return JsonError(KeyPath(path, "data_offsets"),
                     absl::StrCat("must not end before they begin, are ", entry.begin, " to ", entry.end));
  }
  ASSIGN_OR_RETURN(const int64_t bytes, BytesOf(entry, path));
  if (entry.end - entry.begin != bytes) {
    return JsonError(KeyPath(path, "data_offsets"),
                     absl::StrCat("must span the ", bytes, " bytes of the shape, span ", entry.end - entry.begin));
  }
  return entry;
}

absl::Status ReadMetadata(const json& value, std::map<std::string, std::string>* metadata) {
  if (!value.is_object()) return JsonError(kMetadataKey, "must be an object of strings");
  for (const auto& item : value.items()) {
    ASSIGN_OR_RETURN((*metadata)[item.key()], ReadString(item.value(), KeyPath(kMetadataKey, item.key())));
  }
  return absl::OkStatus();
}

// `entries` sorted by offset have to fill the data from the first byte to the last.
absl::Status CheckLayout(const std::vector<Entry>& entries, int64_t data_bytes) {
  int64_t expected = 0;
  for (const Entry& entry : entries) {
    const std::string path = KeyPath(ForMessage(entry.name), "data_offsets");
    if (entry.begin != expected) {
      return JsonError(path,
                       absl::StrCat("must begin at ", expected, " where the data before it ends, ",
                                    entry.begin > expected ? "leave a hole" : "overlap", ": begin at ", entry.begin));
    }
    if (entry.end > data_bytes) {
      return JsonError(path, absl::StrCat("must end within the ", data_bytes, " bytes of data, end at ", entry.end));
    }
    expected = entry.end;
  }
  if (expected == data_bytes) return absl::OkStatus();
  return JsonError("data", absl::StrCat("must end with the last tensor at ", expected, ", has ", data_bytes, " bytes"));
}

}  // namespace

absl::StatusOr<TensorFile> ParseSafetensors(absl::string_view bytes, const SafetensorsLimits& limits) {
  ASSIGN_OR_RETURN(const absl::string_view header, FindHeader(bytes, limits));
  auto document = ParseStrictJson(header, kMaxDepth);
  if (!document.ok()) return JsonError("header", document.status().message());
  if (document->size() > static_cast<size_t>(limits.max_tensors) + document->count(kMetadataKey)) {
    return JsonError("header", absl::StrCat("must list at most ", limits.max_tensors, " tensors, lists ",
                                            document->size() - document->count(kMetadataKey)));
  }
  TensorFile file;
  std::vector<Entry> entries;
  for (const auto& item : document->items()) {
    if (item.key() == kMetadataKey) {
      RETURN_IF_ERROR(ReadMetadata(item.value(), &file.metadata));
      continue;
    }
    ASSIGN_OR_RETURN(Entry entry, ReadEntry(item.key(), item.value(), limits));
    entries.push_back(std::move(entry));
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  const absl::string_view data = bytes.substr(kLengthBytes + header.size());
  RETURN_IF_ERROR(CheckLayout(entries, static_cast<int64_t>(data.size())));
  file.tensors.reserve(entries.size());
  for (Entry& entry : entries) {
    file.tensors.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape),
                            std::string(data.substr(entry.begin, entry.end - entry.begin))});
  }
  return file;
}

}  // namespace candor
