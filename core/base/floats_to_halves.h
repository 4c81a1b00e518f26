// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/types/span.h"

namespace candor {

// FloatToHalf (core/base/float16.h) of each value, to `values.size()` halves; of a NaN perhaps with other bits behind its
// first.
void FloatsToHalves(absl::Span<const float> values, uint16_t* halves);

}  // namespace candor
