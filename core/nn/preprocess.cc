// SPDX-License-Identifier: Apache-2.0
#include "core/nn/preprocess.h"

#include <array>

#include "core/model/padded_size.h"

namespace candor {
namespace {

// One table a channel: 256 possible values.
using ValueTable = std::array<std::array<float, 256>, 3>;

ValueTable TableOf(const Normalisation& normalisation) {
  ValueTable table;
  for (int c = 0; c < 3; ++c) {
    for (int v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0f - normalisation.mean[c]) / normalisation.stddev[c];
    }
  }
  return table;
}

void FillPadded(const Image& image, const ValueTable& table, int64_t height, int64_t width, float* out) {
  const uint8_t* in = image.pixels.data();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x, out += 3) {
      const bool inside = y < image.height && x < image.width;
      for (int c = 0; c < 3; ++c) out[c] = table[c][inside ? in[c] : 0];
      if (inside) in += 3;
    }
  }
}

}  // namespace

torch::Tensor Preprocess(absl::Span<const Image* const> images, const Normalisation& normalisation) {
  const int64_t height = PaddedSize(images[0]->height);
  const int64_t width = PaddedSize(images[0]->width);
  const ValueTable table = TableOf(normalisation);
  torch::Tensor pixels = torch::empty({static_cast<int64_t>(images.size()), height, width, 3}, torch::kFloat32);
  for (size_t n = 0; n < images.size(); ++n) {
    TORCH_CHECK(PaddedSize(images[n]->height) == height && PaddedSize(images[n]->width) == width,
                "pictures of a batch must have one padded size");
    FillPadded(*images[n], table, height, width, pixels[static_cast<int64_t>(n)].data_ptr<float>());
  }
  return pixels.permute({0, 3, 1, 2});
}

torch::Tensor Preprocess(const Image& image, const Normalisation& normalisation) {
  const Image* const only = &image;
  return Preprocess(absl::MakeConstSpan(&only, 1), normalisation);
}

}  // namespace candor
