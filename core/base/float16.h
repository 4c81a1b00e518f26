// SPDX-License-Identifier: Apache-2.0
//
// IEEE half and bfloat16 as bit patterns. Conversions to the narrow type round to nearest, ties to even; NaN stays NaN.
#pragma once

#include <cstdint>
#include <cstring>

namespace candor {

// Here, and without a branch, so that many are converted at once.
inline float HalfToFloat(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t mantissa = bits & 0x3ff;
  const uint32_t widened = (exponent == 31 ? 0x7f800000 : (exponent + 127 - 15) << 23) | (mantissa << 13);
  float value = static_cast<float>(mantissa) * 0x1p-24F;  // zero and subnormals: a multiple of 2^-24
  uint32_t result = 0;
  std::memcpy(&result, &value, sizeof(result));
  result = (exponent == 0 ? result : widened) | sign;
  std::memcpy(&value, &result, sizeof(value));
  return value;
}

uint16_t FloatToHalf(float value);  // too large: infinity
float Bfloat16ToFloat(uint16_t bits);
uint16_t FloatToBfloat16(float value);

}  // namespace candor
