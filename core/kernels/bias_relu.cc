// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/bias_relu.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/bias_relu.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "core/kernels/channel_pair-inl.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void ReluRow(const float* in, const float* bias, size_t columns, T* out) {
  size_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  using D = hn::ScalableTag<float>;
  const D d;
  for (; c + 2 * hn::Lanes(d) <= columns; c += 2 * hn::Lanes(d)) {
    const Pair<D> x = LoadFloatsFor(d, in + c, out);
    const Pair<D> b = LoadFloatsFor(d, bias + c, out);
    StorePair(d, ReluPair(d, Pair<D>{hn::Add(x.a, b.a), hn::Add(x.b, b.b)}), out + c);
  }
#endif
  for (; c < columns; ++c) {
    const float sum = in[c] + bias[c];
    StoreOne(sum < 0 ? 0.0F : sum, out + c);
  }
}

template <class T>
void ReluRows(const float* in, ptrdiff_t in_stride, const float* bias, int rows, int columns, T* out,
              ptrdiff_t out_stride) {
  for (ptrdiff_t r = 0; r < rows; ++r) {
    ReluRow(in + r * in_stride, bias, static_cast<size_t>(columns), out + r * out_stride);
  }
}

}  // namespace

void ReluFloats(const float* in, ptrdiff_t in_stride, const float* bias, int rows, int columns, float* out,
                ptrdiff_t out_stride) {
  ReluRows(in, in_stride, bias, rows, columns, out, out_stride);
}

void ReluBfloats(const float* in, ptrdiff_t in_stride, const float* bias, int rows, int columns, uint16_t* out,
                 ptrdiff_t out_stride) {
  ReluRows(in, in_stride, bias, rows, columns, out, out_stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(ReluFloats);
HWY_EXPORT(ReluBfloats);

void BiasRelu(const float* in, ptrdiff_t in_stride, const float* bias, int rows, int columns, float* out,
              ptrdiff_t out_stride) {
  HWY_DYNAMIC_DISPATCH(ReluFloats)(in, in_stride, bias, rows, columns, out, out_stride);
}

void BiasRelu(const float* in, ptrdiff_t in_stride, const float* bias, int rows, int columns, uint16_t* out,
              ptrdiff_t out_stride) {
  HWY_DYNAMIC_DISPATCH(ReluBfloats)(in, in_stride, bias, rows, columns, out, out_stride);
}

}  // namespace candor
#endif  // HWY_ONCE
