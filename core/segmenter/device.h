// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "core/engine/cuda/plugin.h"

namespace candor {

// Our own CUDA library, loaded for the rest of the process. FailedPrecondition: missing, or of another build.
absl::StatusOr<CudaPlugin*> LoadCudaPlugin();

}  // namespace candor
