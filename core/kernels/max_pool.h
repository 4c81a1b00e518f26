// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/kernels/map_view.h"

namespace candor {

// Rows [begin, end) of the 3x3 max pooling, stride 2 and padding 1, of what a ReLU gave: values that are 0, positive or
// NaN. So their bits are in their order, and the padding may be 0. -0 counts as 0, a NaN passes (as one of either
// sign).
//
//   input   size; T is uint32_t for the bits of a float32, uint16_t for those of a bfloat16
//   output  (size.height + 1) / 2 rows of (size.width + 1) / 2 pixels; overlaps no input
//
// Thread-safe: calls that write different rows may run at the same time.
void MaxPoolOfRelu(const MapSize& size, const MapView<const uint32_t>& input, int begin, int end,
                   const MapView<uint32_t>& output);
void MaxPoolOfRelu(const MapSize& size, const MapView<const uint16_t>& input, int begin, int end,
                   const MapView<uint16_t>& output);

}  // namespace candor
