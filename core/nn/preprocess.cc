// SPDX-License-Identifier: Apache-2.0
#include "core/nn/preprocess.h"

#include <ATen/Parallel.h>

#include <vector>

#include "core/model/padded_size.h"

namespace candor {
namespace {

// Rows [first, last) of the padded picture, `width` pixels wide.
void FillRows(const Picture& picture, const ValueTable& table, int64_t first, int64_t last, int64_t width, float* out) {
  std::vector<uint8_t> scratch;
  for (int64_t y = first; y < last; ++y) {
    const bool inside = y < picture.height();
    const uint8_t* in = inside ? picture.Row(static_cast<int>(y), &scratch) : nullptr;
    const int64_t filled = inside ? picture.width() : 0;
    for (int64_t x = 0; x < filled; ++x, in += 3, out += 3) {
      for (int c = 0; c < 3; ++c) out[c] = table[c][in[c]];
    }
    for (int64_t x = filled; x < width; ++x, out += 3) {
      for (int c = 0; c < 3; ++c) out[c] = table[c][0];
    }
  }
}

}  // namespace

ValueTable ValueTableOf(const Normalisation& normalisation) {
  ValueTable table;
  for (int c = 0; c < 3; ++c) {
    for (int v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0f - normalisation.mean[c]) / normalisation.stddev[c];
    }
  }
  return table;
}

torch::Tensor Preprocess(absl::Span<const Picture* const> pictures, const Normalisation& normalisation) {
  constexpr int64_t kRowsAtOnce = 32;
  const int64_t height = PaddedSize(pictures[0]->height());
  const int64_t width = PaddedSize(pictures[0]->width());
  const ValueTable table = ValueTableOf(normalisation);
  torch::Tensor pixels = torch::empty({static_cast<int64_t>(pictures.size()), height, width, 3}, torch::kFloat32);
  for (size_t n = 0; n < pictures.size(); ++n) {
    TORCH_CHECK(HaveOnePaddedSize(*pictures[n], *pictures[0]), "pictures of a batch must have one padded size");
    float* const out = pixels[static_cast<int64_t>(n)].data_ptr<float>();
    at::parallel_for(0, height, kRowsAtOnce, [&](int64_t first, int64_t last) {
      FillRows(*pictures[n], table, first, last, width, out + first * width * 3);
    });
  }
  return pixels.permute({0, 3, 1, 2});
}

torch::Tensor Preprocess(const Image& image, const Normalisation& normalisation) {
  const Picture picture = Picture::Borrow(image);
  const Picture* const only = &picture;
  return Preprocess(absl::MakeConstSpan(&only, 1), normalisation);
}

}  // namespace candor
