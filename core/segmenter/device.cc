// SPDX-License-Identifier: Apache-2.0
//
// Choosing the device, and loading what CUDA needs at run time. Torch caches whether CUDA hooks exist at the first
// question, so its CUDA library is opened before any other Torch call.
#include "core/segmenter/device.h"

#include <dlfcn.h>
#include <torch/cuda.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/nn/torch_guard.h"
#include "core/segmenter/segmenter.h"

namespace candor {
namespace {

// Opens a library for the rest of the process.
absl::StatusOr<void*> Open(const char* library, int flags) {
  void* handle = dlopen(library, RTLD_NOW | flags);
  if (handle == nullptr) return absl::FailedPreconditionError(absl::StrCat("device cuda: ", dlerror()));
  return handle;
}

absl::Status IsOfAnotherBuild(const char* library) {
  return absl::FailedPreconditionError(absl::StrCat("device cuda: ", library, " is of another build"));
}

absl::Status LoadCuda() {
  ASSIGN_OR_RETURN(void* driver, Open("libcuda.so.1", RTLD_LOCAL));
  (void)driver;
  if (const auto torch_cuda = Open("libtorch_cuda.so", RTLD_GLOBAL); !torch_cuda.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(torch_cuda.status().message(), " (tools/setup.sh --cuda installs LibTorch's CUDA libraries)"));
  }
  RETURN_IF_ERROR(LoadCudaPlugin().status());
  return GuardTorch([] {
    if (torch::cuda::device_count() > 0) return MakeGraphCapturer().status();
    return absl::FailedPreconditionError("device cuda: the driver reports no device");
  });
}

}  // namespace

absl::StatusOr<CudaPlugin*> LoadCudaPlugin() {
  ASSIGN_OR_RETURN(void* handle, Open(kCudaPluginLibrary, RTLD_LOCAL));
  const auto factory = reinterpret_cast<CudaPluginFactory>(dlsym(handle, kCudaPluginFactoryName));
  CudaPlugin* plugin = factory == nullptr ? nullptr : factory(kCudaPluginVersion);
  if (plugin == nullptr) return IsOfAnotherBuild(kCudaPluginLibrary);
  return plugin;
}

absl::StatusOr<std::unique_ptr<GraphCapturer>> MakeGraphCapturer() {
  ASSIGN_OR_RETURN(void* handle, Open(kGraphCapturerLibrary, RTLD_LOCAL));
  const auto factory = reinterpret_cast<GraphCapturerFactory>(dlsym(handle, kGraphCapturerFactoryName));
  std::unique_ptr<GraphCapturer> capturer(factory == nullptr ? nullptr : factory(kGraphCapturerVersion));
  if (capturer == nullptr) return IsOfAnotherBuild(kGraphCapturerLibrary);
  return capturer;
}

absl::StatusOr<Device> ParseDevice(absl::string_view name) {
  if (name == "auto") return Device::kAuto;
  if (name == "cpu") return Device::kCpu;
  if (name == "cuda") return Device::kCuda;
  return absl::InvalidArgumentError(absl::StrCat("device: must be auto, cpu or cuda, got '", name, "'"));
}

absl::StatusOr<Device> PrepareDevice(Device wanted) {
  if (wanted == Device::kCpu) return Device::kCpu;
  const absl::Status cuda = LoadCuda();
  if (cuda.ok()) return Device::kCuda;
  if (wanted == Device::kCuda) return cuda;
  LogInfo("no GPU, using the CPU", {{"reason", cuda.message()}});
  return Device::kCpu;
}

}  // namespace candor
