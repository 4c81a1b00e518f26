// SPDX-License-Identifier: Apache-2.0
//
// Pastes the six tiles of a comparison onto one canvas.
#include "client/cli/compare_picture.h"

#include <algorithm>

#include "core/image/draw.h"

namespace candor {
namespace {

constexpr int kGap = 4;  // pixels
constexpr float kOverlayOpacity = 0.5F;
constexpr float kDifferenceOpacity = 0.75F;

void Paste(const Image& tile, int column, int row, Image* canvas) {
  const int left = column * (tile.width + kGap);
  const int top = row * (tile.height + kGap);
  for (int y = 0; y < tile.height; ++y) {
    std::copy_n(tile.pixels.begin() + int64_t{3} * y * tile.width, 3 * tile.width,
                canvas->pixels.begin() + int64_t{3} * (int64_t{top + y} * canvas->width + left));
  }
}

}  // namespace

Image DrawComparison(const Image& picture, const ModelAnswer& student, const ModelAnswer& teacher,
                     const std::vector<Colour>& colours, float heat_max) {
  Image canvas{3 * picture.width + 2 * kGap, 2 * picture.height + kGap, {}};
  canvas.pixels.assign(int64_t{3} * canvas.width * canvas.height, 255);
  ByteMap differs = student.labels;
  for (size_t i = 0; i < differs.values.size(); ++i) differs.values[i] = differs.values[i] != teacher.labels.values[i];
  Paste(picture, 0, 0, &canvas);
  Paste(Blend(picture, ColourLabels(student.labels, colours), kOverlayOpacity), 1, 0, &canvas);
  Paste(Blend(picture, ColourLabels(teacher.labels, colours), kOverlayOpacity), 2, 0, &canvas);
  Paste(HeatMap(student.uncertainty, heat_max), 0, 1, &canvas);
  Paste(HeatMap(teacher.uncertainty, heat_max), 1, 1, &canvas);
  Paste(Blend(picture, ColourLabels(differs, {{0, 0, 0}, {255, 0, 0}}), kDifferenceOpacity), 2, 1, &canvas);
  return canvas;
}

}  // namespace candor
