// SPDX-License-Identifier: Apache-2.0
//
// Safetensors files made byte by byte, good or bad.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace candor {

// The length `header_bytes`, little-endian, then whatever follows.
inline std::string RawSafetensors(uint64_t header_bytes, absl::string_view rest) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(header_bytes >> (8 * i)));
  return bytes.append(rest.data(), rest.size());
}

// A file with this header and `data_bytes` zero bytes of data.
inline std::string FileOf(absl::string_view header, size_t data_bytes) {
  return RawSafetensors(header.size(), std::string(header) + std::string(data_bytes, '\0'));
}

}  // namespace candor
