// SPDX-License-Identifier: Apache-2.0
#include "core/nn/dropout_mask.h"

#include <ATen/Parallel.h>

#include <cmath>

namespace candor {
namespace {

constexpr int64_t kValuesPerTask = 1 << 15;

// MurmurHash3's 32-bit finaliser (Appleby 2008): every input bit changes every output bit with probability near 1/2.
uint32_t Mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x85EBCA6B;
  x ^= x >> 13;
  x *= 0xC2B2AE35;
  return x ^ (x >> 16);
}

}  // namespace

torch::Tensor DropoutMask(uint32_t seed, float rate, int64_t channels, int64_t height, int64_t width) {
  torch::Tensor mask = torch::empty({1, height, width, channels}, torch::kFloat32);
  float* out = mask.data_ptr<float>();
  const auto least_kept = static_cast<uint32_t>(std::lround(static_cast<double>(rate) * 4294967296.0));
  const float kept = 1.0f / (1.0f - rate);
  const uint32_t start = Mix(seed + 1);
  at::parallel_for(0, mask.numel(), kValuesPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = Mix(static_cast<uint32_t>(i) ^ start) < least_kept ? 0.0f : kept;
  });
  return mask.permute({0, 3, 1, 2});
}

}  // namespace candor
