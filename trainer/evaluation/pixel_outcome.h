// SPDX-License-Identifier: Apache-2.0
//
// Whether a pixel's label is right: what every figure about errors starts from.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "trainer/data/dataset.h"

namespace candor {

enum class PixelOutcome : uint8_t { kCorrect = 0, kWrong = 1, kVoid = 2 };

// One outcome a pixel. All three have the same size.
void ComparePixels(absl::Span<const uint8_t> truth, absl::Span<const uint8_t> labels,
                   absl::Span<PixelOutcome> outcomes);

}  // namespace candor
