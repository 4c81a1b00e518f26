// SPDX-License-Identifier: Apache-2.0
//
// What libcandor_cuda.so exports.
#include <cuda_runtime.h>

#include "core/engine/cuda/error_text.h"
#include "core/engine/cuda/launchers.h"
#include "core/engine/cuda/plugin.h"

namespace candor {
namespace {

class Plugin : public CudaPlugin {
 public:
  const char* Reduce(const CudaReduceJob& job, CUstream_st* stream) override { return LaunchReduce(job, stream); }
  const char* Preprocess(const CudaPreprocessJob& job, CUstream_st* stream) override {
    return LaunchPreprocess(job, stream);
  }
  const char* Memory(CudaMemory* memory) override {
    return ErrorText(cudaMemGetInfo(&memory->free_bytes, &memory->total_bytes));
  }
};

}  // namespace
}  // namespace candor

extern "C" __attribute__((visibility("default"))) candor::CudaPlugin* candor_cuda_plugin(int version) {
  static candor::Plugin plugin;  // stateless
  return version == candor::kCudaPluginVersion ? &plugin : nullptr;
}
