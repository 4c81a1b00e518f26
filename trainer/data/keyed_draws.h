// SPDX-License-Identifier: Apache-2.0
//
// Random numbers that follow from a key alone: SplitMix64 (Steele, Lea, Flood 2014) over a counter. The same on every
// machine, which the standard library's distributions are not.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace candor {

// What numbers are for, so that two uses of the same place in training get different ones.
enum class DrawPurpose : uint64_t { kEpochOrder = 1, kAugment = 2, kRedraw = 3, kCutMix = 4 };

class KeyedDraws {
 public:
  explicit KeyedDraws(uint64_t key) : key_(key) {}

  // A key made from the purpose and fields in their order.
  static uint64_t KeyOf(DrawPurpose purpose, std::initializer_list<uint64_t> fields) {
    uint64_t key = Mix(static_cast<uint64_t>(purpose) * kGolden);
    for (uint64_t field : fields) key = Mix(key + kGolden * (field + 1));
    return key;
  }

  uint64_t Next() { return Mix(key_ + kGolden * ++counter_); }
  // In [0, 1), a multiple of 2^-53.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  double Uniform(double min, double max) { return min + (max - min) * Uniform(); }
  // In [0, bound), bound >= 1; the probabilities differ by at most 2^-32.
  int Below(int bound) { return static_cast<int>((Next() >> 32) * static_cast<uint64_t>(bound) >> 32); }

 private:
  static constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

  static uint64_t Mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  uint64_t key_;
  uint64_t counter_ = 0;
};

}  // namespace candor
