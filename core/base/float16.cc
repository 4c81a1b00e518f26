// SPDX-License-Identifier: Apache-2.0
//
// Narrow floats in integer arithmetic: the same bits on every CPU. Half: 1 sign, 5 exponent (bias 15), 10 mantissa
// bits; bfloat16: the upper half of a float.
#include "core/base/float16.h"

#include <cstring>

namespace candor {
namespace {

constexpr uint32_t kFloatInfinity = 0x7f800000;

uint32_t BitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float FloatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// `bits` divided by 2^shift, rounded to nearest, ties to even; shift in [1, 31].
uint32_t ShiftRounded(uint32_t bits, int shift) {
  const uint32_t odd = (bits >> shift) & 1;
  return (bits + (uint32_t{1} << (shift - 1)) - 1 + odd) >> shift;
}

}  // namespace

uint16_t FloatToHalf(float value) {
  const uint32_t bits = BitsOf(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > kFloatInfinity) {  // NaN: keep what fits of the payload, but never let it become infinity
    const uint32_t payload = (magnitude >> 13) & 0x3ff;
    return static_cast<uint16_t>(sign | 0x7c00 | (payload != 0 ? payload : 0x200));
  }
  if (magnitude >= BitsOf(65520.0f)) return static_cast<uint16_t>(sign | 0x7c00);  // half-way past the largest, 65504
  if (magnitude < BitsOf(0x1p-14f)) {                                              // subnormal half, in units of 2^-24
    const int shift = 126 - static_cast<int>(magnitude >> 23);
    if (shift > 24) return sign;  // below half a unit
    return static_cast<uint16_t>(sign | ShiftRounded((magnitude & 0x7fffff) | 0x800000, shift));
  }
  return static_cast<uint16_t>(sign | ShiftRounded(magnitude - (uint32_t{127 - 15} << 23), 13));
}

float Bfloat16ToFloat(uint16_t bits) { return FloatOf(static_cast<uint32_t>(bits) << 16); }

uint16_t FloatToBfloat16(float value) {
  const uint32_t bits = BitsOf(value);
  if ((bits & 0x7fffffff) > kFloatInfinity) {
    const uint32_t upper = bits >> 16;
    return static_cast<uint16_t>((upper & 0x7f) != 0 ? upper : upper | 0x40);
  }
  return static_cast<uint16_t>(ShiftRounded(bits, 16));
}

}  // namespace candor
