// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/colour_jitter.h"

#include <algorithm>
#include <array>

namespace candor {
namespace {

using Rgb = std::array<float, 3>;

float Clamp(float value) { return std::clamp(value, 0.0f, 255.0f); }

// ITU-R BT.601 luma, as torchvision's rgb_to_grayscale.
float GreyOf(const Rgb& pixel) { return 0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2]; }

Rgb PixelAt(const Image& image, size_t i) {
  return {static_cast<float>(image.pixels[3 * i]), static_cast<float>(image.pixels[3 * i + 1]),
          static_cast<float>(image.pixels[3 * i + 2])};
}

void Brighten(float factor, Rgb* pixel) {
  for (float& channel : *pixel) channel = Clamp(channel * factor);
}

void Blend(float factor, float grey, Rgb* pixel) {
  for (float& channel : *pixel) channel = Clamp(grey + factor * (channel - grey));
}

// A place on the circle of six sectors, from at most one turn outside.
float Wrapped(float sector) {
  if (sector < 0) return sector + 6;
  return sector >= 6 ? sector - 6 : sector;
}

// `turn` is within [-0.5, 0.5]. Through hue, saturation and value (Smith 1978).
void TurnHue(float turn, Rgb* pixel) {
  const auto [red, green, blue] = *pixel;
  const float max = std::max({red, green, blue});
  const float range = max - std::min({red, green, blue});
  if (range <= 0) return;
  float sector = (red - green) / range + 4;
  if (max == red) {
    sector = (green - blue) / range;
  } else if (max == green) {
    sector = (blue - red) / range + 2;
  }
  sector = Wrapped(sector + 6 * turn);
  // How far each channel is below the maximum, as a share of the range, by its distance on the circle of six sectors.
  for (int c = 0; c < 3; ++c) {
    const float ahead = Wrapped(sector - 2.0f * static_cast<float>(c));
    const float distance = std::min(ahead, 6.0f - ahead);
    (*pixel)[static_cast<size_t>(c)] = Clamp(max - range * std::clamp(distance - 1.0f, 0.0f, 1.0f));
  }
}

// Mean grey after the change of brightness.
float MeanGrey(const Image& image, float brightness, const std::vector<uint8_t>& padding) {
  double sum = 0;
  int64_t count = 0;
  for (size_t i = 0; i < padding.size(); ++i) {
    if (padding[i] != 0) continue;
    Rgb pixel = PixelAt(image, i);
    Brighten(brightness, &pixel);
    sum += GreyOf(pixel);
    ++count;
  }
  return count == 0 ? 0.0f : static_cast<float>(sum / static_cast<double>(count));
}

}  // namespace

void ChangeColours(const ColourChange& change, const std::vector<uint8_t>& padding, Image* image) {
  const float mean = change.contrast == 1 ? 0 : MeanGrey(*image, change.brightness, padding);
  for (size_t i = 0; i < padding.size(); ++i) {
    if (padding[i] != 0) continue;
    Rgb pixel = PixelAt(*image, i);
    if (change.brightness != 1) Brighten(change.brightness, &pixel);
    if (change.contrast != 1) Blend(change.contrast, mean, &pixel);
    if (change.saturation != 1) Blend(change.saturation, GreyOf(pixel), &pixel);
    if (change.hue != 0) TurnHue(change.hue, &pixel);
    for (size_t c = 0; c < 3; ++c) image->pixels[3 * i + c] = static_cast<uint8_t>(pixel[c] + 0.5f);
  }
}

}  // namespace candor
