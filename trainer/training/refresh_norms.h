// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/nn/segmentation_net.h"
#include "trainer/train_options.h"

namespace candor {

// Measures the statistics of every batch norm of `net` anew, over `batches` batches of images, each [N, 3, H, W] on the
// network's device: their average, in which every batch counts the same (Izmailov et al. 2018, section 3.2; Maddox et
// al. 2019 do so for each draw). The network is in training mode while it does, dropout included, as when it learned.
// Cancelled: `stop_requested` said so. Errors of `next_images`. May throw c10::Error.
absl::Status RefreshNorms(SegmentationNet& net, TrainingPrecision precision, int64_t batches,
                          const std::function<absl::StatusOr<torch::Tensor>()>& next_images,
                          const std::function<bool()>& stop_requested);

}  // namespace candor
