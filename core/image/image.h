// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace candor {

// An upright RGB picture: `pixels` is [height][width][3], 8 bits each, without gaps.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;
};

// A map of one byte a pixel, [height][width]: class labels, or grey values.
struct ByteMap {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> values;
};

// A map of 16 bits a pixel, [height][width]: indices as a file has them.
struct IndexMap {
  int width = 0;
  int height = 0;
  std::vector<uint16_t> values;
};

// A map of one float a pixel, [height][width].
struct FloatMap {
  int width = 0;
  int height = 0;
  std::vector<float> values;
};

struct Colour {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;
};

inline bool operator==(const Colour& a, const Colour& b) {
  return a.red == b.red && a.green == b.green && a.blue == b.blue;
}

}  // namespace candor
