// SPDX-License-Identifier: Apache-2.0
//
// The plug-in of the GPU on memory of the CPU: the kernels' code for one pixel, in a loop.
#pragma once

#include "core/engine/cuda/input_value.h"
#include "core/engine/cuda/pixel_figures.h"
#include "core/engine/cuda/pixel_reduction.h"
#include "core/engine/cuda/plugin.h"

namespace candor {

class LoopPlugin : public CudaPlugin {
 public:
  const char* Reduce(const CudaReduceJob& job, CUstream_st* /*stream*/) override {
    KindTally tallies[kAllUncertaintyKinds.size()];
    for (int y = 0; y < job.height; ++y) {
      for (int x = 0; x < job.width; ++x) {
        const PixelReduction pixel = ReducePixel(job, job.top + y, job.left + x);
        StorePixel(pixel, static_cast<long>(y) * job.width + x, job);
        AddFigures(pixel, job, tallies);
      }
    }
    for (int k = 0; k < job.kind_count; ++k) {
      job.kind_figures[k].sum += tallies[k].sum;
      job.kind_figures[k].max = fmaxf(job.kind_figures[k].max, tallies[k].max);
      job.kind_figures[k].above_threshold += tallies[k].above_threshold;
    }
    return nullptr;
  }

  const char* Preprocess(const CudaPreprocessJob& job, CUstream_st* /*stream*/) override {
    for (int y = 0; y < job.padded_height; ++y) {
      float* const row = job.out + static_cast<long>(y) * 3 * job.padded_width;
      for (int i = 0; i < 3 * job.padded_width; ++i) row[i] = InputValue(job, job.table, y, i);
    }
    return nullptr;
  }

  const char* Memory(CudaMemory* /*memory*/) override { return "no GPU"; }

 private:
  static void AddFigures(const PixelReduction& pixel, const CudaReduceJob& job, KindTally* tallies) {
    CudaClassFigures* const of_class = &job.class_figures[pixel.label];
    ++of_class->pixels;
    for (int k = 0; k < job.kind_count; ++k) {
      const float value = pixel.kinds[static_cast<int>(job.kinds[k].kind)];
      AddValue(value, job.kinds[k], &tallies[k]);
      ++job.kind_figures[k].histogram[HistogramBin(value, job.kinds[k])];
      if (k == 0) of_class->uncertainty_sum += value;
    }
  }
};

}  // namespace candor
