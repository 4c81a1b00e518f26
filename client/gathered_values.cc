// SPDX-License-Identifier: Apache-2.0
#include "client/gathered_values.h"

#include <algorithm>
#include <cstring>
#include <limits>

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

namespace {

template <typename Value>
std::vector<Value> Gather(absl::Span<const absl::string_view> pieces) {
  // Copied by parts small enough for the nearest cache, where resizing clears what is then written over.
  constexpr size_t kPart = 32 << 10;
  std::vector<Value> values;
  values.reserve(static_cast<size_t>(SizeOf(pieces)) / sizeof(Value));
  size_t at = 0;
  for (absl::string_view piece : pieces) {
    while (!piece.empty()) {
      const size_t size = std::min(piece.size(), kPart);
      values.resize((at + size + sizeof(Value) - 1) / sizeof(Value));
      std::memcpy(reinterpret_cast<char*>(values.data()) + at, piece.data(), size);
      piece.remove_prefix(size);
      at += size;
    }
  }
  return values;
}

}  // namespace

std::vector<float> GatherFloats(absl::Span<const absl::string_view> pieces) { return Gather<float>(pieces); }

std::vector<float> GatherHalves(absl::Span<const absl::string_view> pieces) {
  const std::vector<uint16_t> halves = Gather<uint16_t>(pieces);
  std::vector<float> values(halves.size());
  for (size_t i = 0; i < halves.size(); ++i) values[i] = HalfToFloat(halves[i]);
  return values;
}

bool AreUncertainties(absl::Span<const float> values) {
  uint32_t wrong = 0;  // without an early end, so that many are compared at once
  for (const float value : values) {
    wrong |= static_cast<uint32_t>(!(value >= 0 && value <= std::numeric_limits<float>::max()));
  }
  return wrong == 0;
}

}  // namespace candor
