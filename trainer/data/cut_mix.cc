// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/cut_mix.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "trainer/data/keyed_draws.h"

namespace candor {
namespace {

struct Patch {
  int to = 0;    // crop of the batch
  int from = 0;  // another one
  int x = 0, y = 0, width = 0, height = 0;
  std::vector<float> images;  // the rectangle's values
  std::vector<uint8_t> labels;
  std::vector<uint8_t> padding;
};

Patch DrawPatch(int to, int count, int crop, KeyedDraws* draws) {
  Patch patch;
  patch.to = to;
  patch.from = (to + 1 + draws->Below(count - 1)) % count;
  const double side = crop * std::sqrt(draws->Uniform());
  const double centre_x = draws->Uniform(0, crop);
  const double centre_y = draws->Uniform(0, crop);
  const auto clipped = [crop](double at) { return std::clamp(static_cast<int>(std::lround(at)), 0, crop); };
  patch.x = clipped(centre_x - side / 2);
  patch.y = clipped(centre_y - side / 2);
  patch.width = clipped(centre_x + side / 2) - patch.x;
  patch.height = clipped(centre_y + side / 2) - patch.y;
  return patch;
}

// Offset in pixels of row `row` of the patch in crop `index`.
size_t RowStart(const Patch& patch, int index, int row, int crop) {
  return (static_cast<size_t>(index) * crop + patch.y + row) * crop + patch.x;
}

void Take(const Batch& batch, Patch* patch) {
  for (int row = 0; row < patch->height; ++row) {
    const size_t start = RowStart(*patch, patch->from, row, batch.crop);
    const size_t end = start + patch->width;
    patch->images.insert(patch->images.end(), &batch.images[start * 3], batch.images.data() + end * 3);
    patch->labels.insert(patch->labels.end(), &batch.labels[start], batch.labels.data() + end);
    patch->padding.insert(patch->padding.end(), &batch.padding[start], batch.padding.data() + end);
  }
}

void Paste(const Patch& patch, Batch* batch) {
  const auto width = static_cast<size_t>(patch.width);
  for (int row = 0; row < patch.height; ++row) {
    const size_t to = RowStart(patch, patch.to, row, batch->crop);
    const size_t from = static_cast<size_t>(row) * width;
    std::copy_n(patch.images.data() + from * 3, width * 3, batch->images.data() + to * 3);
    std::copy_n(patch.labels.data() + from, width, batch->labels.data() + to);
    std::copy_n(patch.padding.data() + from, width, batch->padding.data() + to);
  }
}

}  // namespace

void CutMix(float probability, uint64_t key, Batch* batch) {
  if (batch->count < 2) return;
  std::vector<Patch> patches;
  for (int i = 0; i < batch->count; ++i) {
    KeyedDraws draws(KeyedDraws::KeyOf(DrawPurpose::kCutMix, {key, static_cast<uint64_t>(i)}));
    if (draws.Uniform() >= probability) continue;
    Patch patch = DrawPatch(i, batch->count, batch->crop, &draws);
    if (patch.width < 1 || patch.height < 1) continue;
    Take(*batch, &patch);
    patches.push_back(std::move(patch));
  }
  for (const Patch& patch : patches) Paste(patch, batch);
}

}  // namespace candor
