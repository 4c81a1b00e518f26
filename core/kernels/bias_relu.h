// SPDX-License-Identifier: Apache-2.0
//
// What follows a product of matrices.
#pragma once

#include <cstddef>
#include <cstdint>

namespace candor {

// out[r][c] = max(0, in[r][c] + bias[c]) for a matrix of float32, whose rows lie `in_stride` and `out_stride` elements
// apart; rounded to nearest even where out is bfloat16 (its bits). A NaN passes. in and out must not overlap.
// Thread-safe.
void BiasRelu(const float* in, ptrdiff_t in_stride, const float* bias, int rows, int columns, float* out,
              ptrdiff_t out_stride);
void BiasRelu(const float* in, ptrdiff_t in_stride, const float* bias, int rows, int columns, uint16_t* out,
              ptrdiff_t out_stride);

}  // namespace candor
