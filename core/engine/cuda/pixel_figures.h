// SPDX-License-Identifier: Apache-2.0
//
// What becomes of one pixel's values, for a GPU thread; compiled by g++ too, as pixel_reduction.h. The rules are those
// of KindAccumulator (core/uncertainty/statistics.h) and FloatToHalf (core/base/float16.h), which a plug-in cannot
// link.
#pragma once

#include <math.h>
#include <string.h>

#include "core/engine/cuda/pixel_reduction.h"
#include "core/engine/cuda/plugin.h"

namespace candor {

// One thread's share of CudaKindFigures, without the histogram.
struct KindTally {
  double sum = 0;
  float max = 0;
  unsigned above_threshold = 0;
};

CANDOR_HOST_DEVICE inline void AddValue(float value, const CudaKindJob& kind, KindTally* tally) {
  tally->sum += value;
  tally->max = fmaxf(tally->max, value);  // not a NaN: the sum tells of it
  tally->above_threshold += value > kind.threshold ? 1 : 0;
}

// In [0, kCudaHistogramBins).
CANDOR_HOST_DEVICE inline int HistogramBin(float value, const CudaKindJob& kind) {
  const float bin = value * kind.bins_per_unit;
  return bin > 0 ? static_cast<int>(fminf(bin, kCudaHistogramBins - 1.0f)) : 0;  // a NaN: the first
}

// IEEE half, to nearest, ties to even.
CANDOR_HOST_DEVICE inline unsigned short HalfBits(float value) {
  unsigned bits;
  memcpy(&bits, &value, sizeof(bits));
  const unsigned sign = (bits >> 16) & 0x8000;
  const unsigned magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<unsigned short>(sign | 0x7e00);   // NaN
  if (magnitude >= 0x477ff000) return static_cast<unsigned short>(sign | 0x7c00);  // 65520: half-way past the largest
  if (magnitude < 0x38800000) {  // below 2^-14: a multiple of 2^-24, which is what a float at 0.5 counts in
    const float shifted = fabsf(value) + 0.5f;
    memcpy(&bits, &shifted, sizeof(bits));
    return static_cast<unsigned short>(sign | (bits - 0x3f000000));
  }
  const unsigned rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return static_cast<unsigned short>(sign | ((rounded - (112U << 23)) >> 13));
}

// Label and maps, to place `index` of the region.
CANDOR_HOST_DEVICE inline void StorePixel(const PixelReduction& pixel, long index, const CudaReduceJob& job) {
  job.labels[index] = static_cast<unsigned char>(pixel.label);
  for (int k = 0; k < job.kind_count; ++k) {
    const CudaKindJob& kind = job.kinds[k];
    const float value = pixel.kinds[static_cast<int>(kind.kind)];
    if (kind.map != nullptr) kind.map[index] = value;
    if (kind.halves != nullptr) kind.halves[index] = HalfBits(value);
  }
}

}  // namespace candor
