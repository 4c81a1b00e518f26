// SPDX-License-Identifier: Apache-2.0
//
// Which taps of a dilated 3x3 window lie in the map.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/kernels/map_view.h"

namespace candor {

// The rows that the window of an output row reads: `dilation` above it, it, and below it; null outside the map.
template <class T>
struct WindowRows {
  // Points `rows` at what output row y of a map reads.
  void MoveTo(const MapView<const T>& map, int height, int y) {
    for (int ky = 0; ky < 3; ++ky) {
      const int source = y + (ky - 1) * dilation;
      rows[ky] = source < 0 || source >= height ? nullptr : map.Row(source);
    }
  }

  const T* rows[3];
  ptrdiff_t pixel_stride;
  int width;
  int dilation;  // at most the larger of the map's sides: more makes no difference
};

// A row of `width` pixels in three runs of pixels, [ends[i], ends[i + 1]), whose taps all lie alike in or
// outside the map: left neighbours begin at `dilation`, right ones end that far from the right edge.
struct WindowRuns {
  WindowRuns(int width, int dilation)
      : ends{0, std::min(dilation, std::max(0, width - dilation)),
             std::max(std::min(dilation, width), width - dilation), width} {}
  int ends[4];
};

// The taps in the map for the pixels [begin, end) of a run, in the window's order.
template <class T, class Value>
struct WindowTaps {
  // `values` has 9 rows, `value_stride` apart: one for each tap of the window.
  WindowTaps(const WindowRows<T>& window, int begin, int end, Value* values, ptrdiff_t value_stride) {
    for (int k = 0; k < 9; ++k) {
      const int shift = (k % 3 - 1) * window.dilation;
      if (window.rows[k / 3] == nullptr || begin + shift < 0 || end + shift > window.width) continue;
      taps[count++] = {window.rows[k / 3] + (begin + shift) * window.pixel_stride, values + k * value_stride};
    }
  }

  // On to the next pixel.
  void Advance(ptrdiff_t pixel_stride) {
    for (int t = 0; t < count; ++t) taps[t].input += pixel_stride;
  }

  struct Tap {
    const T* input;  // of the pixel that is worked on
    Value* values;
  };
  Tap taps[9];
  int count = 0;
};

}  // namespace candor
