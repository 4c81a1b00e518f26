// SPDX-License-Identifier: Apache-2.0
#include "core/engine/packed_matrix.h"

#include <ATen/native/CPUBlas.h>

#include <algorithm>

namespace candor {
namespace {

namespace blas = at::native::cpublas;

int64_t RoundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Columns in blocks of `width`, each of them whole before the next; in it, `pairing` inputs side by side (two, as the
// bfloat16 instructions take them).
torch::Tensor PackBlocks(const torch::Tensor& weight, int64_t padded_in, int64_t width, int64_t pairing) {
  const int64_t blocks = RoundUp(weight.size(0), width) / width;
  torch::Tensor padded = torch::zeros({blocks * width, padded_in});
  padded.narrow(0, 0, weight.size(0)).narrow(1, 0, weight.size(1)).copy_(weight);
  return padded.reshape({blocks, width, padded_in / pairing, pairing}).permute({0, 2, 1, 3}).contiguous();
}

}  // namespace

PackedMatrix::PackedMatrix(const torch::Tensor& weight, torch::ScalarType type) : out_(weight.size(0)) {
  const int64_t pairing = type == torch::kFloat ? 1 : 2;
  padded_in_ = RoundUp(weight.size(1), pairing);
  width_ = std::min(RoundUp(out_, 16), kBlock);  // oneDNN takes 16, 32, 48 or 64 columns together
  packed_ = PackBlocks(weight, padded_in_, width_, pairing).to(type);
}

void PackedMatrix::Multiply(int64_t rows, const void* inputs, int64_t input_stride, bool accumulate, float* sums,
                            int64_t sum_stride) const {
  for (int64_t block = 0; block < blocks(); ++block) {
    MultiplyBlock(block, rows, inputs, input_stride, accumulate, sums + block * kBlock, sum_stride);
  }
}

void PackedMatrix::MultiplyBlock(int64_t block, int64_t rows, const void* inputs, int64_t input_stride, bool accumulate,
                                 float* sums, int64_t sum_stride) const {
  const int64_t columns = std::min(kBlock, out_ - block * kBlock);
  const auto multiply = [&](auto type, bool is_paired) {
    using T = decltype(type);
    blas::brgemm(rows, columns, padded_in_, input_stride, width_, sum_stride, accumulate, static_cast<const T*>(inputs),
                 packed_.const_data_ptr<T>() + block * width_ * padded_in_, sums, is_paired);
  };
  if (packed_.scalar_type() == torch::kFloat) {
    multiply(float(), /*is_paired=*/false);
  } else {
    multiply(at::BFloat16(), /*is_paired=*/true);
  }
}

void PackedMatrix::Release() { blas::brgemm_release(/*is_vnni=*/true); }

}  // namespace candor
