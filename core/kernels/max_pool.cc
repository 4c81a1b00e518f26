// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/max_pool.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/max_pool.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The pixels of a window that lie in the map.
template <class T>
struct Window {
  Window(const MapSize& size, const MapView<const T>& input, int y, int x) {
    for (int row = std::max(2 * y - 1, 0); row < std::min(2 * y + 2, size.height); ++row) {
      for (int column = std::max(2 * x - 1, 0); column < std::min(2 * x + 2, size.width); ++column) {
        pixels[count++] = input.Row(row) + column * input.pixel_stride;
      }
    }
  }

  const T* pixels[9];
  int count = 0;
};

template <class T, class D>
HWY_INLINE void PoolChannels(D d, const Window<T>& window, int c, T* output) {
  const auto no_sign = hn::Set(d, static_cast<T>(static_cast<T>(~T{0}) >> 1));
  auto greatest = hn::And(hn::LoadU(d, window.pixels[0] + c), no_sign);
  for (int i = 1; i < window.count; ++i) {
    greatest = hn::Max(greatest, hn::And(hn::LoadU(d, window.pixels[i] + c), no_sign));
  }
  hn::StoreU(greatest, d, output + c);
}

template <class T>
void PoolRows(const MapSize& size, const MapView<const T>& input, int begin, int end, const MapView<T>& output) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int y = begin; y < end; ++y) {
    for (int x = 0; x < (size.width + 1) / 2; ++x) {
      const Window<T> window(size, input, y, x);
      T* pixel = output.Row(y) + x * output.pixel_stride;
      int c = 0;
      for (; c + lanes <= size.channels; c += lanes) PoolChannels(d, window, c, pixel);
      for (; c < size.channels; ++c) PoolChannels(one, window, c, pixel);
    }
  }
}

}  // namespace

void PoolFloats(const MapSize& size, const MapView<const uint32_t>& input, int begin, int end,
                const MapView<uint32_t>& output) {
  PoolRows(size, input, begin, end, output);
}

void PoolBfloats(const MapSize& size, const MapView<const uint16_t>& input, int begin, int end,
                 const MapView<uint16_t>& output) {
  PoolRows(size, input, begin, end, output);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(PoolFloats);
HWY_EXPORT(PoolBfloats);

void MaxPoolOfRelu(const MapSize& size, const MapView<const uint32_t>& input, int begin, int end,
                   const MapView<uint32_t>& output) {
  HWY_DYNAMIC_DISPATCH(PoolFloats)(size, input, begin, end, output);
}

void MaxPoolOfRelu(const MapSize& size, const MapView<const uint16_t>& input, int begin, int end,
                   const MapView<uint16_t>& output) {
  HWY_DYNAMIC_DISPATCH(PoolBfloats)(size, input, begin, end, output);
}

}  // namespace candor
#endif  // HWY_ONCE
