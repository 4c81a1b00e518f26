// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <array>

#include "absl/types/span.h"
#include "core/image/picture.h"
#include "core/model/model_spec.h"

namespace candor {

// By channel, what its 256 possible values become.
using ValueTable = std::array<std::array<float, 256>, 3>;

ValueTable ValueTableOf(const Normalisation& normalisation);

// RGB8 -> [N, 3, H, W] float32, channels last, on the CPU: values / 255, zeros to the right and below up to PaddedSize,
// which is the same for all pictures; then (value - mean) / stddev; the padding is normalised like a black pixel.
torch::Tensor Preprocess(absl::Span<const Picture* const> pictures, const Normalisation& normalisation);
torch::Tensor Preprocess(const Image& image, const Normalisation& normalisation);

}  // namespace candor
