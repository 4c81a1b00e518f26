// SPDX-License-Identifier: Apache-2.0
//
// IEEE half and bfloat16 as bit patterns. Conversions to the narrow type round to nearest, ties to even; NaN stays NaN.
#pragma once

#include <cstdint>

namespace candor {

float HalfToFloat(uint16_t bits);
uint16_t FloatToHalf(float value);  // too large: infinity
float Bfloat16ToFloat(uint16_t bits);
uint16_t FloatToBfloat16(float value);

}  // namespace candor
