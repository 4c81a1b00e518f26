// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/engine/cuda/plugin.h"
#include "core/image/picture.h"
#include "core/model/model_spec.h"

namespace candor {

// Preprocess (core/nn/preprocess.h), bit by bit, to [N, 3, H, W] float32, channels last, on `device`, by its kernel: a
// quarter of the bytes go there. Queued on the current stream; the pictures have been read when it returns. Aborted:
// the GPU has failed. Throws c10::Error. `device` is the CPU in tests. Thread-safe.
absl::StatusOr<torch::Tensor> PreprocessOnDevice(absl::Span<const Picture* const> pictures,
                                                 const Normalisation& normalisation, torch::Device device,
                                                 CudaPlugin* plugin);

}  // namespace candor
