// SPDX-License-Identifier: Apache-2.0
//
// Text of any origin for a status message.
#include "server/short_line.h"

namespace candor {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Bytes of the well-formed UTF-8 character at the front of `text` (Unicode 15, table 3-7), or 0.
size_t CharacterBytes(absl::string_view text) {
  const auto byte = [text](size_t i) -> unsigned { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
  if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (first == 0xF4 && byte(1) > 0x8F) return 0;  // above U+10FFFF
  return length;
}

}  // namespace

std::string ShortLine(absl::string_view text, size_t max_bytes) {
  std::string result;
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    absl::string_view piece = bytes == 0 ? "?" : text.substr(0, bytes);
    if (piece == "\n" || piece == "\r") piece = " ";
    if (result.size() + piece.size() > max_bytes) break;
    result.append(piece.data(), piece.size());
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return result;
}

}  // namespace candor
