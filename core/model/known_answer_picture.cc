// SPDX-License-Identifier: Apache-2.0
//
// The input of every bundle's known answer. Integers only, so that it is the same bytes everywhere; changing one of
// them invalidates every bundle ever written.
#include <algorithm>
#include <cstdint>

#include "core/model/model_spec.h"

namespace candor {
namespace {

constexpr int kSide = 64;

// Ramps right, down and diagonally; a red box, a white corner and a dark floor for hard edges.
Colour Scene(int x, int y) {
  if (y >= 48) return {32, 32, 48};
  if (x >= 16 && x < 32 && y >= 12 && y < 40) return {230, 40, 40};
  if (x >= 48 && y < 16) return {255, 255, 255};
  return {static_cast<uint8_t>(x * 4), static_cast<uint8_t>(y * 4), static_cast<uint8_t>((x + y) * 2)};
}

}  // namespace

Image KnownAnswerPicture() {
  Image image{kSide, kSide, {}};
  image.pixels.reserve(size_t{3} * kSide * kSide);
  uint32_t state = 1;
  // Noise in [-16, 15], a new value a channel: the linear congruential generator of Numerical Recipes, top five bits.
  const auto noisy = [&state](uint8_t value) {
    state = state * 1664525u + 1013904223u;
    return static_cast<uint8_t>(std::clamp(value + static_cast<int>(state >> 27) - 16, 0, 255));
  };
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const Colour colour = Scene(x, y);
      image.pixels.push_back(noisy(colour.red));
      image.pixels.push_back(noisy(colour.green));
      image.pixels.push_back(noisy(colour.blue));
    }
  }
  return image;
}

}  // namespace candor
