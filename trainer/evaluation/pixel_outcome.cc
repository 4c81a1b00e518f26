// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/pixel_outcome.h"

namespace candor {

void ComparePixels(absl::Span<const uint8_t> truth, absl::Span<const uint8_t> labels,
                   absl::Span<PixelOutcome> outcomes) {
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const uint8_t wrong = truth[i] != labels[i] ? 1 : 0;
    outcomes[i] = static_cast<PixelOutcome>(truth[i] == kIgnoreLabel ? uint8_t{2} : wrong);
  }
}

}  // namespace candor
