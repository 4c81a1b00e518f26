// SPDX-License-Identifier: Apache-2.0
#include "core/engine/packed_matrix.h"

#include <ATen/native/CPUBlas.h>

#include <algorithm>

namespace candor {
namespace {

namespace blas = at::native::cpublas;

constexpr int64_t kMaxBlock = 64;  // oneDNN packs 16, 32, 48 or 64 columns together

int64_t RoundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Pairs of inputs side by side, as the bfloat16 instructions take them.
torch::Tensor PackPairs(const torch::Tensor& weight, int64_t padded_in, int64_t block) {
  const int64_t blocks = RoundUp(weight.size(0), block) / block;
  torch::Tensor padded = torch::zeros({blocks * block, padded_in});
  padded.narrow(0, 0, weight.size(0)).narrow(1, 0, weight.size(1)).copy_(weight);
  return padded.reshape({blocks, block, padded_in / 2, 2}).permute({0, 2, 1, 3}).contiguous().to(torch::kBFloat16);
}

}  // namespace

PackedMatrix::PackedMatrix(const torch::Tensor& weight, torch::ScalarType type) : out_(weight.size(0)) {
  if (type == torch::kFloat) {
    padded_in_ = weight.size(1);
    block_ = out_;
    packed_ = weight.t().contiguous();
  } else {
    padded_in_ = RoundUp(weight.size(1), 2);
    block_ = std::min(RoundUp(out_, 16), kMaxBlock);
    packed_ = PackPairs(weight, padded_in_, block_);
  }
}

void PackedMatrix::Multiply(int64_t rows, const void* inputs, int64_t input_stride, bool accumulate, float* sums,
                            int64_t sum_stride) const {
  if (packed_.scalar_type() == torch::kFloat) {
    blas::brgemm(rows, out_, padded_in_, input_stride, out_, sum_stride, accumulate, static_cast<const float*>(inputs),
                 packed_.const_data_ptr<float>(), sums, /*is_vnni=*/false);
    return;
  }
  const auto* block = packed_.const_data_ptr<at::BFloat16>();
  for (int64_t first = 0; first < out_; first += block_, block += block_ * padded_in_) {
    blas::brgemm(rows, std::min(block_, out_ - first), padded_in_, input_stride, block_, sum_stride, accumulate,
                 static_cast<const at::BFloat16*>(inputs), block, sums + first, /*is_vnni=*/true);
  }
}

void PackedMatrix::Release() { blas::brgemm_release(/*is_vnni=*/true); }

}  // namespace candor
