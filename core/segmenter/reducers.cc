// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/reducers.h"

#include <memory>

#include "core/base/status_macros.h"
#include "core/segmenter/cuda_reducer.h"
#include "core/segmenter/device.h"
#include "core/segmenter/meaning_reducer.h"
#include "core/uncertainty/cpu_reducer.h"

namespace candor {

absl::StatusOr<ReducerFactory> ReducersFor(Device device) {
  if (device != Device::kCuda) return ReducerFactory([] { return std::make_unique<CpuReducer>(); });
  ASSIGN_OR_RETURN(CudaPlugin * plugin, LoadCudaPlugin());
  return ReducerFactory(
      [plugin] { return std::make_unique<MeaningReducer>(std::make_unique<CudaReducer>(plugin, torch::kCUDA)); });
}

}  // namespace candor
