// SPDX-License-Identifier: Apache-2.0
//
// One value of a network's input, for a GPU thread; compiled by g++ too, as pixel_reduction.h.
#pragma once

#include "core/engine/cuda/host_device.h"
#include "core/engine/cuda/plugin.h"

namespace candor {

// `place` counts the values of row y, [padded_width][3]. `table` is the job's, or a copy of it.
CANDOR_HOST_DEVICE inline float InputValue(const CudaPreprocessJob& job, const float (*table)[256], int y, int place) {
  const bool is_inside = y < job.height && place < 3 * job.width;
  return table[place % 3][is_inside ? job.pixels[static_cast<long>(y) * 3 * job.width + place] : 0];
}

}  // namespace candor
