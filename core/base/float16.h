// SPDX-License-Identifier: Apache-2.0
//
// IEEE half and bfloat16 as bit patterns. Conversions to the narrow type round to nearest, ties to even; NaN stays NaN.
#pragma once

#include <cstdint>
#include <cstring>

namespace candor {

// Here, and by masks, so that the compiler converts many at once: of a choice it would make a branch.
inline float HalfToFloat(uint16_t bits) {
  constexpr uint32_t kBias = uint32_t{127 - 15} << 23;
  const auto mask = [](bool is_set) { return uint32_t{0} - static_cast<uint32_t>(is_set); };
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t magnitude = bits & 0x7fff;
  float value = static_cast<float>(bits & 0x3ff) * 0x1p-24F;  // zero and subnormals: a multiple of 2^-24
  uint32_t small = 0;
  std::memcpy(&small, &value, sizeof(small));
  // The bias twice makes of the largest exponent the largest again: infinity and NaN.
  const uint32_t large = (magnitude << 13) + kBias + (kBias & mask(magnitude >= 0x7c00));
  const uint32_t is_small = mask(magnitude < 0x400);
  const uint32_t result = (small & is_small) | (large & ~is_small) | sign;
  std::memcpy(&value, &result, sizeof(value));
  return value;
}

uint16_t FloatToHalf(float value);  // too large: infinity
float Bfloat16ToFloat(uint16_t bits);
uint16_t FloatToBfloat16(float value);

}  // namespace candor
