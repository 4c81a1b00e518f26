// SPDX-License-Identifier: Apache-2.0
//
// Bilinear in two steps: a source row is resampled once along x (20 bits a value), two of them are blended along y.
#include "core/image/resize.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace candor {
namespace {

constexpr uint32_t kOne = 4096;  // of a weight; 255 * kOne * kOne + half of kOne * kOne still fits 32 bits

// Between source pixels `left` and `right`, `weight` / kOne of the way.
struct Tap {
  int left;
  int right;
  uint32_t weight;
};

// For `count` pixels from `first` of a side resized from `source` to `target`. The centre of pixel i lies at
// (i + 1/2) * source / target - 1/2, not below 0.
std::vector<Tap> TapsOf(int source, int target, int first, int count) {
  std::vector<Tap> taps(static_cast<size_t>(count));
  const int64_t unit = int64_t{2} * target;
  for (int i = 0; i < count; ++i) {
    const int64_t centre = std::max<int64_t>(0, (int64_t{2} * (first + i) + 1) * source - target);  // in 1 / unit
    const auto left = static_cast<int>(std::min<int64_t>(centre / unit, source - 1));
    const int64_t rest = centre - left * unit;
    taps[static_cast<size_t>(i)] = {left, std::min(left + 1, source - 1),
                                    static_cast<uint32_t>((rest * kOne + target) / unit)};
  }
  return taps;
}

void ResampleRow(const uint8_t* row, const std::vector<Tap>& taps, uint32_t* out) {
  for (const Tap& tap : taps) {
    const uint8_t* left = row + size_t{3} * tap.left;
    const uint8_t* right = row + size_t{3} * tap.right;
    for (int c = 0; c < 3; ++c) *out++ = left[c] * (kOne - tap.weight) + right[c] * tap.weight;
  }
}

void BlendRows(const uint32_t* top, const uint32_t* bottom, uint32_t weight, size_t count, uint8_t* out) {
  constexpr uint32_t kHalf = kOne * kOne / 2;
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<uint8_t>((top[i] * (kOne - weight) + bottom[i] * weight + kHalf) / (kOne * kOne));
  }
}

// The last two source rows resampled along x.
class RowCache {
 public:
  RowCache(const Image& image, const std::vector<Tap>& taps) : image_(image), taps_(taps) {
    for (Row& row : rows_) row.values.resize(taps.size() * 3);
  }

  // Valid until two other rows have been asked for.
  const uint32_t* Get(int y) {
    if (rows_[0].y != y && rows_[1].y != y) {
      std::swap(rows_[0], rows_[1]);
      rows_[1].y = y;
      ResampleRow(image_.pixels.data() + size_t{3} * image_.width * y, taps_, rows_[1].values.data());
    }
    return rows_[rows_[0].y == y ? 0 : 1].values.data();
  }

 private:
  struct Row {
    int y = -1;
    std::vector<uint32_t> values;
  };

  const Image& image_;
  const std::vector<Tap>& taps_;
  Row rows_[2];
};

bool IsEmpty(int source_width, int source_height, const PixelWindow& window) {
  return source_width < 1 || source_height < 1 || window.width < 1 || window.height < 1;
}

}  // namespace

Image ResizeBilinear(const Image& image, int width, int height) {
  return ResizeBilinear(image, width, height, {0, 0, width, height});
}

Image ResizeBilinear(const Image& image, int width, int height, const PixelWindow& window) {
  if (IsEmpty(image.width, image.height, window)) return {};
  const std::vector<Tap> columns = TapsOf(image.width, width, window.x, window.width);
  const std::vector<Tap> rows = TapsOf(image.height, height, window.y, window.height);
  const size_t row_values = columns.size() * 3;
  Image result{window.width, window.height, std::vector<uint8_t>(row_values * rows.size())};
  RowCache cache(image, columns);
  uint8_t* out = result.pixels.data();
  for (const Tap& tap : rows) {
    const uint32_t* top = cache.Get(tap.left);
    const uint32_t* bottom = cache.Get(tap.right);
    BlendRows(top, bottom, tap.weight, row_values, out);
    out += row_values;
  }
  return result;
}

ByteMap ResizeNearest(const ByteMap& map, int width, int height) {
  return ResizeNearest(map, width, height, {0, 0, width, height});
}

ByteMap ResizeNearest(const ByteMap& map, int width, int height, const PixelWindow& window) {
  if (IsEmpty(map.width, map.height, window)) return {};
  std::vector<int> columns(static_cast<size_t>(window.width));
  for (int i = 0; i < window.width; ++i) {
    columns[static_cast<size_t>(i)] = static_cast<int>(int64_t{window.x + i} * map.width / width);
  }
  ByteMap result{window.width, window.height, {}};
  result.values.reserve(columns.size() * static_cast<size_t>(window.height));
  for (int i = 0; i < window.height; ++i) {
    const int64_t y = int64_t{window.y + i} * map.height / height;
    const uint8_t* row = map.values.data() + y * map.width;
    for (int x : columns) result.values.push_back(row[x]);
  }
  return result;
}

}  // namespace candor
