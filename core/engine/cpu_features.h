// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace candor {

// Whether this processor multiplies bfloat16 natively (AVX512_BF16; those with AMX have it too). On others LibTorch
// takes far longer in bfloat16 than in float32: 1.6 s against 18 ms for a dilated convolution with AVX2
// (github.com/pytorch/pytorch/issues/183815).
bool HasNativeBf16();

// Whether it multiplies bfloat16 by a matrix unit (AMX), sixteen times as fast as float32; without one it is twice.
bool HasMatrixUnit();

// Whether it multiplies bytes into 32 bits (AVX512_VNNI; those with AMX have it too). Others do so into 16 bits, which
// overflow.
bool HasNativeInt8();

}  // namespace candor
