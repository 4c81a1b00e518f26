// SPDX-License-Identifier: Apache-2.0
//
// Our CUDA library, but of a GPU that is not there: 10 bytes, 3 of them free.
#include "core/engine/cuda/plugin.h"

namespace candor {
namespace {

class FakePlugin : public CudaPlugin {
 public:
  const char* Reduce(const CudaReduceJob& /*job*/, CUstream_st* /*stream*/) override { return "a fake"; }
  const char* Preprocess(const CudaPreprocessJob& /*job*/, CUstream_st* /*stream*/) override { return "a fake"; }
  const char* Memory(CudaMemory* memory) override {
    *memory = {3, 10};
    return nullptr;
  }
};

}  // namespace
}  // namespace candor

extern "C" __attribute__((visibility("default"))) candor::CudaPlugin* candor_cuda_plugin(int version) {
  static candor::FakePlugin plugin;
  return version == candor::kCudaPluginVersion ? &plugin : nullptr;
}
