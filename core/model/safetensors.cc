// SPDX-License-Identifier: Apache-2.0
#include "core/model/safetensors.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/float16.h"
#include "core/base/status_macros.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little-endian and copied as it is");

template <typename Convert>
std::vector<float> WidenHalves(const std::string& data, Convert convert) {
  std::vector<float> values(data.size() / sizeof(uint16_t));
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, data.data() + i * sizeof(bits), sizeof(bits));
    values[i] = convert(bits);
  }
  return values;
}

bool IsFloat(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

absl::Status ConvertTensor(DType dtype, NamedTensor* tensor) {
  ASSIGN_OR_RETURN(const std::vector<float> values, tensor->ToFloats());
  std::string data(values.size() * DTypeBytes(dtype), '\0');
  for (size_t i = 0; i < values.size(); ++i) {
    if (dtype == DType::kF32) {
      std::memcpy(&data[i * sizeof(float)], &values[i], sizeof(float));
      continue;
    }
    const bool half = dtype == DType::kF16;
    const uint16_t bits = half ? FloatToHalf(values[i]) : FloatToBfloat16(values[i]);
    if (std::isfinite(values[i]) && !std::isfinite(half ? HalfToFloat(bits) : Bfloat16ToFloat(bits))) {
      return absl::InvalidArgumentError(
          absl::StrCat(ForMessage(tensor->name), ": value ", i, " must fit ", DTypeName(dtype), ", is ", values[i]));
    }
    std::memcpy(&data[i * sizeof(bits)], &bits, sizeof(bits));
  }
  tensor->data = std::move(data);
  tensor->dtype = dtype;
  return absl::OkStatus();
}

}  // namespace

absl::string_view DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
    case DType::kI64:
      return "I64";
    case DType::kU8:
      return "U8";
  }
  return "unknown";
}

int DTypeBytes(DType dtype) {
  switch (dtype) {
    case DType::kI64:
      return 8;
    case DType::kF32:
      return 4;
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kU8:
      return 1;
  }
  return 1;
}

int64_t NamedTensor::element_count() const { return static_cast<int64_t>(data.size()) / DTypeBytes(dtype); }

absl::StatusOr<std::vector<float>> NamedTensor::ToFloats() const {
  if (dtype == DType::kF16) return WidenHalves(data, HalfToFloat);
  if (dtype == DType::kBF16) return WidenHalves(data, Bfloat16ToFloat);
  if (dtype != DType::kF32) {
    return absl::InvalidArgumentError(
        absl::StrCat(ForMessage(name), ": must be F32, F16 or BF16, is ", DTypeName(dtype)));
  }
  std::vector<float> values(data.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), data.data(), values.size() * sizeof(float));
  return values;
}

absl::Status ConvertFloats(DType dtype, TensorFile* file) {
  if (!IsFloat(dtype)) {
    return absl::InvalidArgumentError(absl::StrCat("dtype: must be F32, F16 or BF16, is ", DTypeName(dtype)));
  }
  for (NamedTensor& tensor : file->tensors) {
    if (IsFloat(tensor.dtype) && tensor.dtype != dtype) RETURN_IF_ERROR(ConvertTensor(dtype, &tensor));
  }
  return absl::OkStatus();
}

}  // namespace candor
