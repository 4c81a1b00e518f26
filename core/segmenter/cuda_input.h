// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/engine/cuda/plugin.h"
#include "core/image/picture.h"
#include "core/model/model_spec.h"
#include "core/segmenter/side_stream.h"

namespace candor {

// The kernel's job for pictures of that size, without their memory.
CudaPreprocessJob PreprocessJobFor(int height, int width, const Normalisation& normalisation);

// Preprocess (core/nn/preprocess.h), bit by bit, by the GPU's kernel: a quarter of the bytes go there, on a stream of
// their own, so that they arrive while the batch before is computed. Thread-compatible.
class CudaInput {
 public:
  // `plugin` is borrowed. `device` is the CPU in tests.
  CudaInput(CudaPlugin* plugin, torch::Device device) : plugin_(plugin), incoming_(device) {}

  // [N, 3, H, W] float32, channels last, on the device. Queued on the current stream; the pictures have been read when
  // it returns. Aborted: the GPU has failed. Throws c10::Error.
  absl::StatusOr<torch::Tensor> Make(absl::Span<const Picture* const> pictures, const Normalisation& normalisation);

 private:
  torch::Tensor Upload(const Picture& picture);

  CudaPlugin* const plugin_;
  const SideStream incoming_;
};

}  // namespace candor
