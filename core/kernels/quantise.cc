// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/quantise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/quantise.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "core/kernels/channel_pair-inl.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace {

template <class D, class T>
HWY_INLINE void QuantiseVector(D d, const T* values, hn::Vec<D> one_over_scale, uint8_t* codes) {
  const hn::Rebind<uint8_t, D> bytes;
  const auto code = hn::Mul(LoadInOrder(d, values), one_over_scale);
  // Neither what is negative nor a NaN is at least 0.
  const auto real = hn::IfThenElseZero(hn::Ge(code, hn::Zero(d)), code);
  hn::StoreU(hn::DemoteTo(bytes, hn::NearestInt(hn::Min(real, hn::Set(d, 255.0F)))), bytes, codes);
}

template <class D, class T>
HWY_INLINE void DequantiseVector(D d, const uint8_t* codes, hn::Vec<D> scale, T* values) {
  const hn::Rebind<uint8_t, D> bytes;
  const hn::RebindToSigned<D> di;
  StoreInOrder(d, hn::Mul(hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(bytes, codes))), scale), values);
}

template <class T>
void QuantiseAll(const T* values, size_t count, float scale, uint8_t* codes) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    QuantiseVector(d, values + i, hn::Set(d, 1.0F / scale), codes + i);
  }
  for (; i < count; ++i) QuantiseVector(one, values + i, hn::Set(one, 1.0F / scale), codes + i);
}

template <class T>
void DequantiseAll(const uint8_t* codes, size_t count, float scale, T* values) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) DequantiseVector(d, codes + i, hn::Set(d, scale), values + i);
  for (; i < count; ++i) DequantiseVector(one, codes + i, hn::Set(one, scale), values + i);
}

}  // namespace

void QuantiseFloats(const float* values, size_t count, float scale, uint8_t* codes) {
  QuantiseAll(values, count, scale, codes);
}

void QuantiseBfloats(const uint16_t* values, size_t count, float scale, uint8_t* codes) {
  QuantiseAll(values, count, scale, codes);
}

void DequantiseFloats(const uint8_t* codes, size_t count, float scale, float* values) {
  DequantiseAll(codes, count, scale, values);
}

void DequantiseBfloats(const uint8_t* codes, size_t count, float scale, uint16_t* values) {
  DequantiseAll(codes, count, scale, values);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(QuantiseFloats);
HWY_EXPORT(QuantiseBfloats);
HWY_EXPORT(DequantiseFloats);
HWY_EXPORT(DequantiseBfloats);

void Quantise(const float* values, size_t count, float scale, uint8_t* codes) {
  HWY_DYNAMIC_DISPATCH(QuantiseFloats)(values, count, scale, codes);
}

void Quantise(const uint16_t* values, size_t count, float scale, uint8_t* codes) {
  HWY_DYNAMIC_DISPATCH(QuantiseBfloats)(values, count, scale, codes);
}

void Dequantise(const uint8_t* codes, size_t count, float scale, float* values) {
  HWY_DYNAMIC_DISPATCH(DequantiseFloats)(codes, count, scale, values);
}

void Dequantise(const uint8_t* codes, size_t count, float scale, uint16_t* values) {
  HWY_DYNAMIC_DISPATCH(DequantiseBfloats)(codes, count, scale, values);
}

}  // namespace candor
#endif  // HWY_ONCE
