// SPDX-License-Identifier: Apache-2.0
//
// Label maps as runs of equal values: each run is its length (>= 1) as a base-128 varint, low bits first, then one byte
// with the value; adjacent runs have different values. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace candor {

// At most two bytes a value.
std::string EncodeRuns(absl::Span<const uint8_t> values);

// InvalidArgument: bytes that EncodeRuns does not write for `count` values (the position is in the message). Allocates
// nothing then, else `count` bytes.
absl::StatusOr<std::vector<uint8_t>> DecodeRuns(absl::string_view bytes, int64_t count);

}  // namespace candor
