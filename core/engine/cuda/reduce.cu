// SPDX-License-Identifier: Apache-2.0
//
// The fused pass on the GPU: kernel, launcher, plug-in.
#include <cuda_runtime.h>

#include "core/engine/cuda/pixel_reduction.h"
#include "core/engine/cuda/plugin.h"

namespace candor {
namespace {

constexpr int kBlockWidth = 32;
constexpr int kBlockHeight = 4;

__global__ void ReduceKernel(CudaReduceJob job) {
  const int x = blockIdx.x * kBlockWidth + threadIdx.x;
  const int y = blockIdx.y * kBlockHeight + threadIdx.y;
  if (x >= job.width || y >= job.height) return;
  const PixelReduction pixel = ReducePixel(job, job.top + y, job.left + x);
  const long index = static_cast<long>(y) * job.width + x;
  job.labels[index] = static_cast<unsigned char>(pixel.label);
  for (int k = 0; k < static_cast<int>(kAllUncertaintyKinds.size()); ++k) {
    if (job.maps[k] != nullptr) job.maps[k][index] = pixel.kinds[k];
  }
}

class Plugin : public CudaPlugin {
 public:
  const char* Reduce(const CudaReduceJob& job, CUstream_st* stream) override {
    const dim3 block(kBlockWidth, kBlockHeight);
    const dim3 grid((job.width + kBlockWidth - 1) / kBlockWidth, (job.height + kBlockHeight - 1) / kBlockHeight);
    ReduceKernel<<<grid, block, 0, stream>>>(job);
    const cudaError_t error = cudaGetLastError();
    return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
  }
};

}  // namespace
}  // namespace candor

extern "C" __attribute__((visibility("default"))) candor::CudaPlugin* candor_cuda_plugin(int version) {
  static candor::Plugin plugin;  // stateless
  return version == candor::kCudaPluginVersion ? &plugin : nullptr;
}
