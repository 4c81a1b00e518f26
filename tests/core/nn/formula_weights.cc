// SPDX-License-Identifier: Apache-2.0
#include "tests/core/nn/formula_weights.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace candor {
namespace {

uint32_t Crc32(const std::string& text) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char character : text) {
    crc ^= static_cast<uint8_t>(character);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
  }
  return ~crc;
}

torch::Tensor Uniform(const std::string& name, int64_t count) {
  torch::Tensor values = torch::empty({count}, torch::kFloat32);
  float* out = values.data_ptr<float>();
  const uint64_t start = static_cast<uint64_t>(Crc32(name)) << 32;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t z = (start + static_cast<uint64_t>(i) + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    out[i] = static_cast<float>(static_cast<double>(z >> 40) / (1 << 23) - 1);
  }
  return values;
}

torch::Tensor FormulaValue(const std::string& seed, const std::string& name, const torch::Tensor& like) {
  torch::Tensor values = Uniform(absl::StrCat(seed, ":", name), like.numel()).reshape(like.sizes());
  if (like.dim() == 4) {
    const int64_t fan_in = like.numel() / like.size(0);
    values.mul_(static_cast<float>(std::sqrt(6.0 / static_cast<double>(fan_in))));
    return values;
  }
  const bool is_scale = absl::EndsWith(name, "running_var") || absl::EndsWith(name, "weight");
  return is_scale ? 1 + 0.3 * values : 0.1 * values;
}

}  // namespace

void FillWithFormula(const SegmentationNet& net, const std::string& seed) {
  torch::NoGradGuard no_grad;
  for (const auto& item : net->named_parameters()) item.value().copy_(FormulaValue(seed, item.key(), item.value()));
  for (const auto& item : net->named_buffers()) {
    if (item.value().dim() > 0) item.value().copy_(FormulaValue(seed, item.key(), item.value()));
  }
}

torch::Tensor FormulaImage(int64_t height, int64_t width) {
  return Uniform("image", 3 * height * width).reshape({1, 3, height, width}) * 0.5 + 0.5;
}

}  // namespace candor
