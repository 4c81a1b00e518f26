// SPDX-License-Identifier: Apache-2.0
//
// RGB8 to a network's input on the GPU: kernel and launcher.
#include <cuda_runtime.h>

#include "core/engine/cuda/error_text.h"
#include "core/engine/cuda/input_value.h"
#include "core/engine/cuda/launchers.h"

namespace candor {
namespace {

constexpr int kBlockThreads = 256;

// One block a row. Its table is in shared memory, where threads may look up different places at a time.
__global__ void __launch_bounds__(kBlockThreads) PreprocessKernel(const __grid_constant__ CudaPreprocessJob job) {
  __shared__ float table[3][256];
  for (int i = threadIdx.x; i < 3 * 256; i += kBlockThreads) table[i / 256][i % 256] = job.table[i / 256][i % 256];
  __syncthreads();
  const int y = blockIdx.x;
  float* const row = job.out + static_cast<long>(y) * 3 * job.padded_width;
  for (int i = threadIdx.x; i < 3 * job.padded_width; i += kBlockThreads) row[i] = InputValue(job, table, y, i);
}

}  // namespace

const char* LaunchPreprocess(const CudaPreprocessJob& job, CUstream_st* stream) {
  PreprocessKernel<<<job.padded_height, kBlockThreads, 0, stream>>>(job);
  return ErrorText(cudaGetLastError());
}

}  // namespace candor
