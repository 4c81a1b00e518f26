// SPDX-License-Identifier: Apache-2.0
//
// Channels of one pixel as one or two vectors of floats, from and to fp32 or bfloat16. Included once per instruction
// set.

#if defined(CANDOR_CHANNEL_PAIR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CANDOR_CHANNEL_PAIR_INL_H_
#undef CANDOR_CHANNEL_PAIR_INL_H_
#else
#define CANDOR_CHANNEL_PAIR_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// To nearest even in the upper half; the lower half is left dirty.
template <class D>
HWY_INLINE auto RoundToUpperHalf([[maybe_unused]] D d, hn::Vec<D> value) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, value);
  const auto last = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(du, 0x7FFF)), last);
  const auto is_nan = hn::RebindMask(du, hn::IsNaN(value));
  return hn::IfThenElse(is_nan, hn::Set(du, 0x7FC00000U), rounded);
}

// Lanes(d) consecutive channels in their order.
template <class D>
HWY_INLINE hn::Vec<D> LoadInOrder(D d, const float* from) {
  return hn::LoadU(d, from);
}

template <class D>
HWY_INLINE hn::Vec<D> LoadInOrder(D d, const uint16_t* from) {
  const hn::RebindToUnsigned<D> du;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(hn::Rebind<uint16_t, D>(), from))));
}

template <class D>
HWY_INLINE void StoreInOrder(D d, hn::Vec<D> values, float* to) {
  hn::StoreU(values, d, to);
}

template <class D>
HWY_INLINE void StoreInOrder(D d, hn::Vec<D> values, uint16_t* to) {
  const hn::Rebind<uint16_t, D> halves;
  hn::StoreU(hn::TruncateTo(halves, hn::ShiftRight<16>(RoundToUpperHalf(d, values))), halves, to);
}

// Highway's scalar target has one lane for any type: it goes channel by channel.
#if HWY_TARGET != HWY_SCALAR

// 2 Lanes(d) consecutive channels. Which of them lies in which lane is up to the storage.
template <class D>
struct Pair {
  hn::Vec<D> a, b;
};

template <class D>
HWY_INLINE Pair<D> ZeroPair(D d) {
  return {hn::Zero(d), hn::Zero(d)};
}

template <class D>
HWY_INLINE Pair<D> MulAddPair(const Pair<D>& x, const Pair<D>& y, const Pair<D>& sum) {
  return {hn::MulAdd(x.a, y.a, sum.a), hn::MulAdd(x.b, y.b, sum.b)};
}

// The operand order lets a NaN in x through: x86's maximum returns its second operand then.
template <class D>
HWY_INLINE Pair<D> ReluPair(D d, const Pair<D>& x) {
  return {hn::Max(hn::Zero(d), x.a), hn::Max(hn::Zero(d), x.b)};
}

// The first half of the channels in a, the second in b.
template <class D>
HWY_INLINE Pair<D> LoadPair(D d, const float* from) {
  return {hn::LoadU(d, from), hn::LoadU(d, from + hn::Lanes(d))};
}

template <class D>
HWY_INLINE void StorePair(D d, const Pair<D>& pair, float* to) {
  hn::StoreU(pair.a, d, to);
  hn::StoreU(pair.b, d, to + hn::Lanes(d));
}

// Floats in the lanes that the storage T gives their channels.
template <class D>
HWY_INLINE Pair<D> LoadFloatsFor(D d, const float* from, const float* /*storage*/) {
  return LoadPair(d, from);
}

// A bfloat16 is the upper half of a float: even channels are shifted up, odd ones stand there already.
template <class D>
HWY_INLINE Pair<D> LoadPair(D d, const uint16_t* from) {
  const hn::RebindToUnsigned<D> du;
  const hn::Repartition<uint16_t, D> halves;
  const auto bits = hn::BitCast(du, hn::LoadU(halves, from));
  return {hn::BitCast(d, hn::ShiftLeft<16>(bits)), hn::BitCast(d, hn::And(bits, hn::Set(du, 0xFFFF0000U)))};
}

template <class D>
HWY_INLINE void StorePair(D d, const Pair<D>& pair, uint16_t* to) {
  const hn::RebindToUnsigned<D> du;
  const hn::Repartition<uint16_t, D> halves;
  const auto even = hn::ShiftRight<16>(RoundToUpperHalf(d, pair.a));
  const auto odd = hn::And(RoundToUpperHalf(d, pair.b), hn::Set(du, 0xFFFF0000U));
  hn::StoreU(hn::BitCast(halves, hn::Or(even, odd)), halves, to);
}

template <class D>
HWY_INLINE Pair<D> LoadFloatsFor(D d, const float* from, const uint16_t* /*storage*/) {
  const Pair<D> pair = LoadPair(d, from);
  if constexpr (hn::MaxLanes(D()) == 1) {
    return pair;
  } else {
    return {hn::ConcatEven(d, pair.b, pair.a), hn::ConcatOdd(d, pair.b, pair.a)};
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

// One channel.
HWY_INLINE float LoadOne(const float* from) { return *from; }

HWY_INLINE float LoadOne(const uint16_t* from) {
  const hn::CappedTag<float, 1> d;
  return hn::GetLane(hn::BitCast(d, hn::Set(hn::RebindToUnsigned<decltype(d)>(), static_cast<uint32_t>(*from) << 16)));
}

HWY_INLINE void StoreOne(float value, float* to) { *to = value; }

HWY_INLINE void StoreOne(float value, uint16_t* to) {
  const hn::CappedTag<float, 1> d;
  *to = static_cast<uint16_t>(hn::GetLane(RoundToUpperHalf(d, hn::Set(d, value))) >> 16);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#endif  // CANDOR_CHANNEL_PAIR_INL_H_
