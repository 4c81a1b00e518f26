// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace candor {

// The smallest multiple of 16, the network's output stride, that is >= `size`: pictures are computed at this size.
constexpr int PaddedSize(int size) { return (size + 15) / 16 * 16; }

}  // namespace candor
