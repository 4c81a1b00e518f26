// SPDX-License-Identifier: Apache-2.0
//
// Between real values and 8 bits: value = scale * code. A bfloat16 is given by its bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace candor {

// codes[i] = values[i] / scale rounded to nearest even, from 0 to 255. `scale` > 0; a NaN has the code 0. Thread-safe.
void Quantise(const float* values, size_t count, float scale, uint8_t* codes);
void Quantise(const uint16_t* values, size_t count, float scale, uint8_t* codes);

// values[i] = scale * codes[i], rounded to nearest even. Thread-safe.
void Dequantise(const uint8_t* codes, size_t count, float scale, float* values);
void Dequantise(const uint8_t* codes, size_t count, float scale, uint16_t* values);

}  // namespace candor
