// SPDX-License-Identifier: Apache-2.0
#include "core/nn/preprocess.h"

#include <array>

namespace candor {

int PaddedSize(int size) { return (size + 15) / 16 * 16; }

torch::Tensor Preprocess(const Image& image, const Normalisation& normalisation) {
  const int64_t height = PaddedSize(image.height);
  const int64_t width = PaddedSize(image.width);
  // One table a channel: 256 possible values.
  std::array<std::array<float, 256>, 3> table;
  for (int c = 0; c < 3; ++c) {
    for (int v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0f - normalisation.mean[c]) / normalisation.stddev[c];
    }
  }
  torch::Tensor pixels = torch::empty({1, height, width, 3}, torch::kFloat32);
  float* out = pixels.data_ptr<float>();
  const uint8_t* in = image.pixels.data();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x, out += 3) {
      const bool inside = y < image.height && x < image.width;
      for (int c = 0; c < 3; ++c) out[c] = table[c][inside ? in[c] : 0];
      if (inside) in += 3;
    }
  }
  return pixels.permute({0, 3, 1, 2});
}

}  // namespace candor
