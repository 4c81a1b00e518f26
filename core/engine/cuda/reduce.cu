// SPDX-License-Identifier: Apache-2.0
//
// The fused pass on the GPU: kernel and launcher. Figures are gathered by block, in shared memory, and reach global
// memory once at its end; so blocks are few, and each goes over many tiles.
#include <cuda_runtime.h>

#include "core/engine/cuda/error_text.h"
#include "core/engine/cuda/launchers.h"
#include "core/engine/cuda/pixel_figures.h"
#include "core/engine/cuda/pixel_reduction.h"

namespace candor {
namespace {

constexpr int kTileWidth = 32;  // a warp is one row of a tile
constexpr int kTileHeight = 8;
constexpr int kBlockThreads = kTileWidth * kTileHeight;
constexpr int kResidentBlocks = 4;       // of a processor at a time: more would have too few registers
constexpr int kBlocksPerProcessor = 16;  // some for each of them, so that all end together
constexpr unsigned kWholeWarp = 0xffffffff;

// What one block has seen, as the figures of a CudaReduceJob.
struct BlockFigures {
  CudaKindFigures* kinds;
  CudaClassFigures* classes;
};

size_t SharedBytes(const CudaReduceJob& job) {
  return job.kind_count * sizeof(CudaKindFigures) + job.classes * sizeof(CudaClassFigures);
}

__device__ int ThreadOfBlock() { return threadIdx.y * kTileWidth + threadIdx.x; }

__device__ BlockFigures ClearedFigures(const CudaReduceJob& job, double* shared) {
  const BlockFigures block = {
      reinterpret_cast<CudaKindFigures*>(shared),
      reinterpret_cast<CudaClassFigures*>(reinterpret_cast<CudaKindFigures*>(shared) + job.kind_count)};
  double* const end = reinterpret_cast<double*>(block.classes + job.classes);
  for (double* word = shared + ThreadOfBlock(); word < end; word += kBlockThreads) *word = 0;
  __syncthreads();
  return block;
}

__device__ double WarpSum(double value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(kWholeWarp, value, step);
  return value;  // the first lane's
}

// `address` holds no negative number, for which the order of floats is that of their bits.
__device__ void AtomicMax(float* address, float value) {
  atomicMax(reinterpret_cast<int*>(address), __float_as_int(value));
}

// One warp's pixels to their classes, one addition for each class among them: neighbours mostly share one. `value` is
// the first kind's.
__device__ void AddToClasses(bool is_inside, int label, float value, CudaClassFigures* classes) {
  unsigned waiting = __ballot_sync(kWholeWarp, is_inside);
  while (waiting != 0) {
    const int chosen = __shfl_sync(kWholeWarp, label, __ffs(waiting) - 1);
    const bool is_chosen = is_inside && label == chosen;
    const unsigned lanes = __ballot_sync(kWholeWarp, is_chosen);
    const double sum = WarpSum(is_chosen ? value : 0);
    if (threadIdx.x == 0) {
      atomicAdd(&classes[chosen].uncertainty_sum, sum);
      atomicAdd(&classes[chosen].pixels, static_cast<unsigned>(__popc(lanes)));
    }
    waiting &= ~lanes;
  }
}

__device__ void AddTally(const KindTally& tally, CudaKindFigures* figures) {
  const double sum = WarpSum(tally.sum);
  if (threadIdx.x == 0) atomicAdd(&figures->sum, sum);
  AtomicMax(&figures->max, tally.max);
  atomicAdd(&figures->above_threshold, tally.above_threshold);
}

__device__ void AddToGlobal(const BlockFigures& block, const CudaReduceJob& job) {
  for (int k = 0; k < job.kind_count; ++k) {
    const CudaKindFigures& from = block.kinds[k];
    CudaKindFigures* const to = &job.kind_figures[k];
    for (int i = ThreadOfBlock(); i < kCudaHistogramBins; i += kBlockThreads) {
      if (from.histogram[i] != 0) atomicAdd(&to->histogram[i], from.histogram[i]);
    }
    if (ThreadOfBlock() != 0) continue;
    atomicAdd(&to->sum, from.sum);
    AtomicMax(&to->max, from.max);
    atomicAdd(&to->above_threshold, from.above_threshold);
  }
  for (int c = ThreadOfBlock(); c < job.classes; c += kBlockThreads) {
    if (block.classes[c].pixels == 0) continue;
    atomicAdd(&job.class_figures[c].uncertainty_sum, block.classes[c].uncertainty_sum);
    atomicAdd(&job.class_figures[c].pixels, block.classes[c].pixels);
  }
}

// The job stays where kernel parameters are: its arrays are indexed, and would be copied for each thread otherwise.
__global__ void __launch_bounds__(kBlockThreads, kResidentBlocks)
    ReduceKernel(const __grid_constant__ CudaReduceJob job) {
  extern __shared__ double shared[];
  const BlockFigures block = ClearedFigures(job, shared);
  const int tiles_across = (job.width + kTileWidth - 1) / kTileWidth;
  const int tiles = tiles_across * ((job.height + kTileHeight - 1) / kTileHeight);
  KindTally tallies[kAllUncertaintyKinds.size()];
  for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const int x = tile % tiles_across * kTileWidth + threadIdx.x;
    const int y = tile / tiles_across * kTileHeight + threadIdx.y;
    const bool is_inside = x < job.width && y < job.height;
    PixelReduction pixel;
    if (is_inside) {
      pixel = ReducePixel(job, job.top + y, job.left + x);
      StorePixel(pixel, static_cast<long>(y) * job.width + x, job);
      for (int k = 0; k < job.kind_count; ++k) {
        const float value = pixel.kinds[static_cast<int>(job.kinds[k].kind)];
        AddValue(value, job.kinds[k], &tallies[k]);
        atomicAdd(&block.kinds[k].histogram[HistogramBin(value, job.kinds[k])], 1U);
      }
    }
    const float first = job.kind_count > 0 ? pixel.kinds[static_cast<int>(job.kinds[0].kind)] : 0;
    AddToClasses(is_inside, pixel.label, first, block.classes);
  }
  for (int k = 0; k < job.kind_count; ++k) AddTally(tallies[k], &block.kinds[k]);
  __syncthreads();
  AddToGlobal(block, job);
}

}  // namespace

const char* LaunchReduce(const CudaReduceJob& job, CUstream_st* stream) {
  int device = 0;
  int processors = 1;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  const int tiles = ((job.width + kTileWidth - 1) / kTileWidth) * ((job.height + kTileHeight - 1) / kTileHeight);
  const int blocks = tiles < processors * kBlocksPerProcessor ? tiles : processors * kBlocksPerProcessor;
  ReduceKernel<<<blocks, dim3(kTileWidth, kTileHeight), SharedBytes(job), stream>>>(job);
  return ErrorText(cudaGetLastError());
}

}  // namespace candor
