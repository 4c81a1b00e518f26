// SPDX-License-Identifier: Apache-2.0
//
// The safetensors file format: an 8-byte little-endian header length, a JSON header, raw data. Reader and writer follow
// the published rules (huggingface/safetensors, README and tensor.rs) and stricter limits of our own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

enum class DType { kF32, kF16, kBF16, kI64, kU8 };

absl::string_view DTypeName(DType dtype);  // "F32", ...
int DTypeBytes(DType dtype);

// One tensor: row-major, little-endian. `data` holds product(shape) * DTypeBytes(dtype) bytes; rank 0 is a scalar.
struct NamedTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string data;

  int64_t element_count() const;
  // Values as float32, from any floating dtype; InvalidArgument for I64 and U8.
  absl::StatusOr<std::vector<float>> ToFloats() const;
};

struct TensorFile {
  std::vector<NamedTensor> tensors;             // in file order
  std::map<std::string, std::string> metadata;  // __metadata__
};

// Limits of our own, below the format's.
struct SafetensorsLimits {
  int64_t max_header_bytes = 1 << 20;
  int max_tensors = 10000;
  int max_name_bytes = 256;
};

// Parses a whole file's bytes. InvalidArgument for every violation, naming the tensor, the value and the rule: header
// too short, too long, not JSON, not an object, bad UTF-8, repeated names, unknown dtype or key, shape overflow, data
// that leaves a hole, overlaps, or does not end with the file.
absl::StatusOr<TensorFile> ParseSafetensors(absl::string_view bytes, const SafetensorsLimits& limits = {});

// File bytes; tensors are ordered by alignment (descending), then name; the header is padded with spaces to 8 bytes.
// InvalidArgument: repeated or reserved name, or data of another size than the shape says.
absl::StatusOr<std::string> SerializeSafetensors(const TensorFile& file);

// Converts floating tensors to `dtype` (kF32, kF16 or kBF16), leaves others alone. InvalidArgument: a finite value that
// is not finite in `dtype`, with the tensor's name.
absl::Status ConvertFloats(DType dtype, TensorFile* file);

}  // namespace candor
