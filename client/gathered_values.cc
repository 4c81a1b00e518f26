// SPDX-License-Identifier: Apache-2.0
#include "client/gathered_values.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/base/float16.h"

namespace candor {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "maps are little-endian on the wire and copied as they are");

BytePieces PiecesOf(const std::string& field, const SplitMessage* split) {
  if (field.empty()) return {};
  if (split == nullptr) return {field};
  const absl::Span<const absl::string_view> pieces = split->Find(field);
  return {pieces.begin(), pieces.end()};
}

std::vector<uint8_t> GatherBytes(absl::Span<const absl::string_view> pieces) {
  std::vector<uint8_t> values;
  values.reserve(static_cast<size_t>(SizeOf(pieces)));
  for (const absl::string_view piece : pieces) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(piece.data());  // of the same type: copied as one block
    values.insert(values.end(), bytes, bytes + piece.size());
  }
  return values;
}

std::vector<float> GatherFloats(absl::Span<const absl::string_view> pieces) {
  // Copied by parts small enough for the nearest cache, where resizing clears what is then written over.
  constexpr size_t kPart = 32 << 10;
  std::vector<float> values;
  values.reserve(static_cast<size_t>(SizeOf(pieces)) / sizeof(float));
  size_t at = 0;
  for (absl::string_view piece : pieces) {
    while (!piece.empty()) {
      const size_t size = std::min(piece.size(), kPart);
      values.resize((at + size + sizeof(float) - 1) / sizeof(float));
      std::memcpy(reinterpret_cast<char*>(values.data()) + at, piece.data(), size);
      piece.remove_prefix(size);
      at += size;
    }
  }
  return values;
}

std::vector<float> GatherHalves(absl::Span<const absl::string_view> pieces) {
  std::array<uint16_t, 8 << 10> part;  // likewise
  size_t filled = 0;                   // bytes of it
  std::vector<float> values;
  values.reserve(static_cast<size_t>(SizeOf(pieces)) / sizeof(uint16_t));
  const auto convert = [&] {
    const size_t before = values.size();
    const size_t count = std::exchange(filled, 0) / sizeof(uint16_t);
    values.resize(before + count);
    float* const out = values.data() + before;
    for (size_t i = 0; i < count; ++i) out[i] = HalfToFloat(part[i]);
  };
  for (absl::string_view piece : pieces) {
    while (!piece.empty()) {
      const size_t size = std::min(piece.size(), sizeof(part) - filled);
      std::memcpy(reinterpret_cast<char*>(part.data()) + filled, piece.data(), size);
      piece.remove_prefix(size);
      filled += size;
      if (filled == sizeof(part)) convert();
    }
  }
  convert();
  return values;
}

bool AreUncertainties(absl::Span<const float> values) {
  constexpr uint32_t kLargest = 0x7f7fffff;
  constexpr uint32_t kMinusZero = 0x80000000;
  // By their bits and without an early end, so that many are compared at once.
  uint32_t wrong = 0;
  for (const float value : values) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    wrong |= static_cast<uint32_t>(bits > kLargest) & static_cast<uint32_t>(bits != kMinusZero);
  }
  return wrong == 0;
}

}  // namespace candor
