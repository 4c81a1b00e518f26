// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "core/image/image.h"
#include "core/model/model_spec.h"

namespace candor {

// The smallest multiple of 16 that is >= `size`: the network's output stride.
int PaddedSize(int size);

// RGB8 -> [1, 3, H, W] float32, channels last, on the CPU: values / 255, zeros to the right and below up to PaddedSize,
// then (value - mean) / stddev; the padding is normalised like a black pixel.
torch::Tensor Preprocess(const Image& image, const Normalisation& normalisation);

}  // namespace candor
