// SPDX-License-Identifier: Apache-2.0
//
// Many halves at once, by the instruction that rounds as FloatToHalf does, where the CPU has one.
#include "core/base/floats_to_halves.h"

#include "core/base/float16.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/base/floats_to_halves.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {

void ConvertToHalves(const float* values, size_t count, uint16_t* halves) {
  size_t i = 0;
  // Without the instruction Highway cuts off instead of rounding.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> floats;
  const hn::Rebind<hwy::float16_t, decltype(floats)> narrow;
  const hn::RebindToUnsigned<decltype(narrow)> bits;
  for (const size_t lanes = hn::Lanes(floats); i + lanes <= count; i += lanes) {
    hn::StoreU(hn::BitCast(bits, hn::DemoteTo(narrow, hn::LoadU(floats, values + i))), bits, halves + i);
  }
#endif
  for (; i < count; ++i) halves[i] = FloatToHalf(values[i]);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(ConvertToHalves);

void FloatsToHalves(absl::Span<const float> values, uint16_t* halves) {
  HWY_DYNAMIC_DISPATCH(ConvertToHalves)(values.data(), values.size(), halves);
}

}  // namespace candor
#endif
