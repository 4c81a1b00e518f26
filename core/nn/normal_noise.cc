// SPDX-License-Identifier: Apache-2.0
#include "core/nn/normal_noise.h"

#include <ATen/Parallel.h>

namespace candor {
namespace {

constexpr int64_t kValuesPerTask = 1 << 15;
constexpr double kTwoPi = 6.283185307179586;

uint64_t SplitMix64(uint64_t counter) {
  uint64_t z = (counter + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// In (0, 1].
float Unit(uint32_t bits) { return (static_cast<float>(bits) + 1.0f) * 0x1p-32f; }

}  // namespace

torch::Tensor NormalNoise(uint32_t stream, const std::vector<int64_t>& shape) {
  const torch::Tensor radius = torch::empty(shape, torch::kFloat32);
  const torch::Tensor angle = torch::empty(shape, torch::kFloat32);
  float* radii = radius.data_ptr<float>();
  float* angles = angle.data_ptr<float>();
  const uint64_t start = static_cast<uint64_t>(stream) << 32;
  at::parallel_for(0, radius.numel(), kValuesPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint64_t bits = SplitMix64(start + static_cast<uint64_t>(i));
      radii[i] = Unit(static_cast<uint32_t>(bits >> 32));
      angles[i] = Unit(static_cast<uint32_t>(bits));
    }
  });
  return radius.log_().mul_(-2).sqrt_().mul_(angle.mul_(kTwoPi).cos_());
}

}  // namespace candor
