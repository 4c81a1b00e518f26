// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/engine/cuda/graph_capturer.h"
#include "core/engine/cuda/plugin.h"

namespace candor {

// Our own CUDA library, loaded for the rest of the process. FailedPrecondition: missing, or of another build.
absl::StatusOr<CudaPlugin*> LoadCudaPlugin();

// A new capturer out of libcandor_graphs.so, which is loaded for the rest of the process, after Torch's CUDA library.
// FailedPrecondition: missing, or of another build.
absl::StatusOr<std::unique_ptr<GraphCapturer>> MakeGraphCapturer();

}  // namespace candor
