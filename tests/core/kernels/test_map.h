// SPDX-License-Identifier: Apache-2.0
//
// NHWC maps for tests of kernels: made-up values, any strides, fp32 or bfloat16.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "core/kernels/map_view.h"

namespace candor {

inline double ToDouble(float value) { return value; }

inline double ToDouble(uint16_t bfloat) {
  const uint32_t bits = static_cast<uint32_t>(bfloat) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Cuts a float off to the storage: exact for values with few digits.
inline void Assign(float value, float* to) { *to = value; }

inline void Assign(float value, uint16_t* to) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  *to = static_cast<uint16_t>(bits >> 16);
}

// A map with `pixel_padding` more elements a pixel and `row_padding` more a row than its channels need.
template <class T>
class TestMap {
 public:
  explicit TestMap(const MapSize& size, int pixel_padding = 0, int row_padding = 0)
      : size_(size),
        pixel_stride_(size.channels + pixel_padding),
        row_stride_(static_cast<ptrdiff_t>(size.width) * pixel_stride_ + row_padding),
        values_(static_cast<size_t>(size.height) * row_stride_) {}

  void FillAtRandom(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> values(-2, 2);
    for (T& value : values_) Assign(values(random), &value);
  }
  void Fill(float value) {
    for (T& each : values_) Assign(value, &each);
  }

  T& At(int y, int x, int c) { return values_[y * row_stride_ + x * pixel_stride_ + c]; }
  const T& At(int y, int x, int c) const { return values_[y * row_stride_ + x * pixel_stride_ + c]; }
  // 0 outside the map.
  double Padded(int y, int x, int c) const {
    return y < 0 || y >= size_.height || x < 0 || x >= size_.width ? 0.0 : ToDouble(At(y, x, c));
  }

  const MapSize& size() const { return size_; }
  const std::vector<T>& values() const { return values_; }
  MapView<T> view() { return {values_.data(), pixel_stride_, row_stride_}; }
  MapView<const T> view() const { return {values_.data(), pixel_stride_, row_stride_}; }

 private:
  MapSize size_;
  ptrdiff_t pixel_stride_, row_stride_;
  std::vector<T> values_;
};

inline std::vector<float> RandomFloats(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> values(-1, 1);
  std::vector<float> floats(count);
  for (float& value : floats) value = values(random);
  return floats;
}

}  // namespace candor
