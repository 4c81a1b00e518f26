// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace candor {

// Whether this processor multiplies bfloat16 natively (AVX512_BF16; those with AMX have it too). On others LibTorch
// takes far longer in bfloat16 than in float32: 1.6 s against 18 ms for a dilated convolution with AVX2
// (github.com/pytorch/pytorch/issues/183815).
bool HasNativeBf16();

// Whether this process may use a matrix unit (AMX), by which products of bfloat16 are sixteen times as fast as those of
// float32; without one they are twice as fast.
bool HasMatrixUnit();

// Whether it multiplies bytes into 32 bits (AVX512_VNNI; those with AMX have it too). Others do so into 16 bits, which
// overflow.
bool HasNativeInt8();

}  // namespace candor
