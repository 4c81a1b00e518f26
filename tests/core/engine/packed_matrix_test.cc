// SPDX-License-Identifier: Apache-2.0
//
// Tile products against ATen's.
#include "core/engine/packed_matrix.h"

#include "core/engine/cpu_features.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using torch::Tensor;

struct Shape {
  int64_t rows, in, out;
};

class PackedMatrixTest : public testing::TestWithParam<Shape> {
 protected:
  // The largest error of inputs * weight^T + 1 for inputs and sums that lie in wider matrices.
  static double Error(torch::ScalarType type) {
    const torch::InferenceMode inference;
    torch::manual_seed(5);
    const auto [rows, in, out] = GetParam();
    const Tensor weight = torch::randn({out, in}).to(type).to(torch::kFloat);
    const PackedMatrix matrix(weight, type);
    const int64_t stride = matrix.padded_in() + 6;
    const Tensor inputs = torch::zeros({rows, stride}, type);
    inputs.narrow(1, 0, in).copy_(torch::randn({rows, in}));
    const Tensor sums = torch::full({rows, out + 3}, 1.0F);
    matrix.Multiply(rows, inputs.data_ptr(), stride, /*accumulate=*/true, sums.data_ptr<float>(), out + 3);
    PackedMatrix::Release();
    const Tensor plain = torch::mm(inputs.narrow(1, 0, in).to(torch::kFloat), weight.t());
    EXPECT_TRUE(torch::equal(sums.narrow(1, out, 3), torch::ones({rows, 3}))) << "wrote beyond its columns";
    const double accumulated = (sums.narrow(1, 0, out) - plain - 1).abs().max().item<double>();
    matrix.Multiply(rows, inputs.data_ptr(), stride, /*accumulate=*/false, sums.data_ptr<float>(), out + 3);
    PackedMatrix::Release();
    return std::max(accumulated, (sums.narrow(1, 0, out) - plain).abs().max().item<double>());
  }
};

TEST_P(PackedMatrixTest, MultipliesFloats) { EXPECT_LT(Error(torch::kFloat), 1e-4); }

// Products of bfloat16 values are exact in float32, and so are the sums but for their own rounding.
TEST_P(PackedMatrixTest, MultipliesBfloat16IntoFloats) {
  if (!HasNativeBf16()) GTEST_SKIP() << "no bfloat16 products on this processor";
  EXPECT_LT(Error(torch::kBFloat16), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Shapes, PackedMatrixTest,
                         testing::Values(Shape{64, 304, 256}, Shape{64, 256, 20}, Shape{56, 256, 12}, Shape{1, 19, 16},
                                         Shape{7, 3, 1}, Shape{13, 76, 65}, Shape{64, 64, 130}));

}  // namespace
}  // namespace candor
