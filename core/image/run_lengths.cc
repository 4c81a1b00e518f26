// SPDX-License-Identifier: Apache-2.0
#include "core/image/run_lengths.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

void AppendRun(uint64_t length, uint8_t value, std::string* out) {
  for (; length >= 0x80; length >>= 7) out->push_back(static_cast<char>(0x80 | (length & 0x7F)));
  out->push_back(static_cast<char>(length));
  out->push_back(static_cast<char>(value));
}

// Takes a varint of at most five bytes off the front; false: there is none in its shortest form.
bool TakeLength(absl::string_view* bytes, int64_t* length) {
  *length = 0;
  for (size_t i = 0; i < 5 && i < bytes->size(); ++i) {
    const auto byte = static_cast<uint8_t>((*bytes)[i]);
    *length |= static_cast<int64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      bytes->remove_prefix(i + 1);
      return byte != 0;  // zero: a run of none, or a longer form of the length
    }
  }
  return false;
}

// Takes the runs' lengths together without any memory for their values: a few bytes may claim billions.
absl::Status CheckRuns(absl::string_view bytes, int64_t count) {
  const size_t all_bytes = bytes.size();
  int64_t room = count;
  int previous = -1;
  while (!bytes.empty()) {
    const size_t at = all_bytes - bytes.size();
    int64_t length = 0;
    if (!TakeLength(&bytes, &length) || bytes.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("byte ", at, ": must be a run's length and value"));
    }
    const int value = static_cast<uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    if (length > room) {
      return absl::InvalidArgumentError(
          absl::StrCat("byte ", at, ": a run of ", length, " values where ", room, " of ", count, " are left"));
    }
    if (value == previous) {
      return absl::InvalidArgumentError(absl::StrCat("byte ", at, ": must have another value than the run before"));
    }
    previous = value;
    room -= length;
  }
  if (room == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("must hold ", count, " values, holds ", count - room));
}

}  // namespace

std::string EncodeRuns(absl::Span<const uint8_t> values) {
  std::string out;
  const uint8_t* const end = values.data() + values.size();
  for (const uint8_t* begin = values.data(); begin != end;) {
    const uint8_t value = *begin;
    const uint8_t* const next = std::find_if(begin, end, [value](uint8_t v) { return v != value; });
    AppendRun(static_cast<uint64_t>(next - begin), value, &out);
    begin = next;
  }
  return out;
}

absl::StatusOr<std::vector<uint8_t>> DecodeRuns(absl::string_view bytes, int64_t count) {
  RETURN_IF_ERROR(CheckRuns(bytes, count));
  std::vector<uint8_t> values;
  values.reserve(static_cast<size_t>(count));
  while (!bytes.empty()) {
    int64_t length = 0;
    TakeLength(&bytes, &length);
    values.insert(values.end(), static_cast<size_t>(length), static_cast<uint8_t>(bytes[0]));
    bytes.remove_prefix(1);
  }
  return values;
}

}  // namespace candor
