// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/image/picture.h"

namespace candor {

// The smallest multiple of 16, the network's output stride, that is >= `size`: pictures are computed at this size.
constexpr int PaddedSize(int size) { return (size + 15) / 16 * 16; }

inline bool HaveOnePaddedSize(const Picture& a, const Picture& b) {
  return PaddedSize(a.width()) == PaddedSize(b.width()) && PaddedSize(a.height()) == PaddedSize(b.height());
}

}  // namespace candor
