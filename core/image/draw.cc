// SPDX-License-Identifier: Apache-2.0
//
// Tables of 256 colours, looked up pixel by pixel.
#include "core/image/draw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/base/log.h"
#include "core/image/opencv_guard.h"
#include "opencv2/imgproc.hpp"

namespace candor {
namespace {

using ColourTable = std::array<Colour, 256>;

Image WithSize(int width, int height) {
  Image image;
  image.width = width;
  image.height = height;
  image.pixels.resize(static_cast<size_t>(width) * height * 3);
  return image;
}

void Put(const Colour& colour, uint8_t* pixel) {
  pixel[0] = colour.red;
  pixel[1] = colour.green;
  pixel[2] = colour.blue;
}

// "Inferno" of matplotlib: even steps of lightness, and safe for the colour-blind.
ColourTable InfernoTable() {
  std::array<uint8_t, 256> ramp;
  std::iota(ramp.begin(), ramp.end(), uint8_t{0});
  ColourTable table;
  for (int i = 0; i < 256; ++i) table[i] = {ramp[i], ramp[i], ramp[i]};
  const absl::Status status = GuardOpenCv("heat map", [&] {
    cv::Mat bgr;
    cv::applyColorMap(cv::Mat(1, 256, CV_8UC1, ramp.data()), bgr, cv::COLORMAP_INFERNO);
    for (int i = 0; i < 256; ++i) {
      const auto& pixel = bgr.at<cv::Vec3b>(0, i);
      table[i] = {pixel[2], pixel[1], pixel[0]};
    }
  });
  if (!status.ok()) LogError(status.message());  // the map is grey then
  return table;
}

}  // namespace

Image ColourLabels(const ByteMap& labels, const std::vector<Colour>& colours) {
  ColourTable table;  // black
  std::copy_n(colours.begin(), std::min(colours.size(), table.size()), table.begin());
  Image image = WithSize(labels.width, labels.height);
  uint8_t* pixel = image.pixels.data();
  for (uint8_t label : labels.values) {
    Put(table[label], pixel);
    pixel += 3;
  }
  return image;
}

Image Blend(const Image& under, const Image& over, float opacity) {
  const int weight = static_cast<int>(std::lround(std::clamp(opacity, 0.0f, 1.0f) * 256));
  Image image = under;
  const size_t count = std::min(under.pixels.size(), over.pixels.size());
  for (size_t i = 0; i < count; ++i) {
    image.pixels[i] = static_cast<uint8_t>((under.pixels[i] * (256 - weight) + over.pixels[i] * weight + 128) >> 8);
  }
  return image;
}

Image HeatMap(const FloatMap& map, float range_max) {
  const ColourTable table = InfernoTable();
  const float scale = 255.0f / range_max;
  Image image = WithSize(map.width, map.height);
  uint8_t* pixel = image.pixels.data();
  for (float value : map.values) {
    const float level = value * scale;
    // Written so that NaN is dark.
    const int index = level > 0 ? static_cast<int>(std::lround(std::min(level, 255.0f))) : 0;
    Put(table[index], pixel);
    pixel += 3;
  }
  return image;
}

}  // namespace candor
