// SPDX-License-Identifier: Apache-2.0
//
// Products of small tiles, with sums in float32, by oneDNN's micro-kernels as LibTorch exports them. They are no public
// interface of LibTorch: this is the only file that knows them.
#pragma once

#include <torch/torch.h>

namespace candor {

// The weights of a 1x1 convolution, packed. Thread-safe.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // `weight` [out, in] float32; `type`: of the inputs, kFloat or kBFloat16 (where HasNativeBf16 only).
  PackedMatrix(const torch::Tensor& weight, torch::ScalarType type);

  // Values that a row of inputs must have: `in`, rounded up for bfloat16 to an even number. What lies beyond `in` must
  // be finite.
  int64_t padded_in() const { return padded_in_; }
  int64_t out() const { return out_; }

  // sums[r][o] (+)= sum_i inputs[r][i] weight[o][i] for r < rows; strides in elements. One thread computes it. After
  // the last product of a task its thread calls Release.
  void Multiply(int64_t rows, const void* inputs, int64_t input_stride, bool accumulate, float* sums,
                int64_t sum_stride) const;

  // The same for the outputs [block * kBlock, (block + 1) * kBlock) only; sums[r][0] is the first of them.
  static constexpr int64_t kBlock = 64;
  int64_t blocks() const { return (out_ + kBlock - 1) / kBlock; }
  void MultiplyBlock(int64_t block, int64_t rows, const void* inputs, int64_t input_stride, bool accumulate,
                     float* sums, int64_t sum_stride) const;

  // Gives the calling thread's matrix unit (AMX) back.
  static void Release();

 private:
  int64_t out_ = 0;
  int64_t padded_in_ = 0;
  int64_t width_ = 0;     // columns of a packed block
  torch::Tensor packed_;  // float32: [blocks, in, width]. bfloat16: [blocks, padded_in / 2, width, 2]
};

}  // namespace candor
