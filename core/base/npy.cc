// SPDX-License-Identifier: Apache-2.0
//
// NumPy's array files: magic, version, the length of a Python dictionary, the dictionary, the values. Format:
// numpy.lib.format.
#include "core/base/npy.h"

#include <cstdint>
#include <cstring>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr absl::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;  // of the first value in the file
constexpr size_t kMostSides = 64;  // NumPy 2's own limit

static_assert(std::numeric_limits<float>::is_iec559 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "values are copied as they lie in memory");

absl::Status Malformed(absl::string_view reason) { return absl::InvalidArgumentError(absl::StrCat("npy: ", reason)); }

// Takes the header off `bytes` and returns its dictionary. Versions 2 and 3 differ from 1 in the length's size.
absl::StatusOr<absl::string_view> TakeDictionary(absl::string_view* bytes) {
  if (!absl::ConsumePrefix(bytes, kMagic)) return Malformed("does not begin with \"\\x93NUMPY\"");
  if (bytes->size() < 2) return Malformed("ends in its header");
  const int version = static_cast<uint8_t>((*bytes)[0]);
  if (version < 1 || version > 3) return Malformed(absl::StrCat("format version must be 1 to 3, got ", version));
  bytes->remove_prefix(2);
  const size_t length_bytes = version == 1 ? 2 : 4;
  if (bytes->size() < length_bytes) return Malformed("ends in its header");
  uint32_t length = 0;
  std::memcpy(&length, bytes->data(), length_bytes);
  bytes->remove_prefix(length_bytes);
  if (bytes->size() < length) return Malformed("ends in its header");
  const absl::string_view dictionary = bytes->substr(0, length);
  bytes->remove_prefix(length);
  return dictionary;
}

// "2,3" of "(2, 3)".
absl::StatusOr<std::vector<int64_t>> ParseShape(absl::string_view text) {
  std::vector<int64_t> shape;
  for (const absl::string_view side : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    int64_t length = 0;
    if (!absl::SimpleAtoi(side, &length) || length < 0) {
      return Malformed(
          absl::StrCat("shape must be of numbers >= 0, got \"", absl::CHexEscape(side.substr(0, 40)), "\""));
    }
    if (shape.size() == kMostSides) return Malformed(absl::StrCat("shape must have at most ", kMostSides, " sides"));
    shape.push_back(length);
  }
  return shape;
}

// The product of the sides; `bytes` of them have to be there, since a shape may say anything.
absl::StatusOr<int64_t> CountValues(const std::vector<int64_t>& shape, size_t bytes) {
  int64_t count = 1;
  for (const int64_t side : shape) {
    if (__builtin_mul_overflow(count, side, &count)) return Malformed("shape has more than 2^63 values");
  }
  if (bytes % sizeof(float) == 0 && static_cast<int64_t>(bytes / sizeof(float)) == count) return count;
  return Malformed(
      absl::StrCat("shape (", absl::StrJoin(shape, ", "), ") needs ", count, " values, got ", bytes, " bytes"));
}

// NumPy writes the three keys in this order; only spaces may differ.
absl::StatusOr<std::vector<int64_t>> ParseDictionary(absl::string_view dictionary) {
  std::string compact;
  for (char c : dictionary) {
    if (c != ' ' && c != '\n') compact += c;
  }
  absl::string_view rest = compact;
  if (!absl::ConsumePrefix(&rest, "{'descr':'<f4',")) return Malformed("type must be little-endian float32, '<f4'");
  if (!absl::ConsumePrefix(&rest, "'fortran_order':False,")) return Malformed("order must be C");
  if (!absl::ConsumePrefix(&rest, "'shape':(") || !absl::ConsumeSuffix(&rest, "}")) return Malformed("no shape");
  absl::ConsumeSuffix(&rest, ",");
  if (!absl::ConsumeSuffix(&rest, ")")) return Malformed("no shape");
  return ParseShape(rest);
}

}  // namespace

std::string EncodeNpyArray(const std::vector<int64_t>& shape, const float* values) {
  int64_t count = 1;
  std::string sides;
  for (const int64_t side : shape) {
    count *= side;
    absl::StrAppend(&sides, side, shape.size() == 1 ? "," : ", ");
  }
  if (shape.size() > 1) sides.resize(sides.size() - 2);
  std::string dictionary = absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (", sides, "), }");
  const size_t unpadded = kMagic.size() + 4 + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  const auto length = static_cast<uint16_t>(dictionary.size());
  std::string bytes = absl::StrCat(kMagic, absl::string_view("\x01\x00", 2),
                                   absl::string_view(reinterpret_cast<const char*>(&length), 2), dictionary);
  bytes.append(reinterpret_cast<const char*>(values), static_cast<size_t>(count) * sizeof(float));
  return bytes;
}

absl::StatusOr<NpyArray> DecodeNpyArray(absl::string_view bytes) {
  ASSIGN_OR_RETURN(const absl::string_view dictionary, TakeDictionary(&bytes));
  NpyArray array;
  ASSIGN_OR_RETURN(array.shape, ParseDictionary(dictionary));
  ASSIGN_OR_RETURN(const int64_t count, CountValues(array.shape, bytes.size()));
  array.values.resize(static_cast<size_t>(count));
  if (count > 0) std::memcpy(array.values.data(), bytes.data(), bytes.size());
  return array;
}

}  // namespace candor
