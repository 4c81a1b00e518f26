// SPDX-License-Identifier: Apache-2.0
//
// Values and gradients against ATen's convolution in double.
#include "core/nn/depthwise_conv.h"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>

#include <vector>

#include "core/nn/layers.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

struct Results {
  torch::Tensor value, input_gradient, weight_gradient;
};

// Of a convolution whose result gets the gradient `seed`.
template <class Convolution>
Results Differentiate(const torch::Tensor& input, const torch::Tensor& weight, const torch::Tensor& seed,
                      const Convolution& convolution) {
  const torch::Tensor x = input.detach().requires_grad_();
  const torch::Tensor w = weight.detach().requires_grad_();
  const torch::Tensor y = convolution(x, w);
  y.backward(seed.to(y.scalar_type()));
  return {y.detach(), x.grad(), w.grad()};
}

Results Ours(const torch::Tensor& input, const torch::Tensor& weight, const torch::Tensor& seed, int64_t dilation) {
  return Differentiate(input, weight, seed, [dilation](const torch::Tensor& x, const torch::Tensor& w) {
    return DepthwiseConv(x, w, dilation);
  });
}

Results InDouble(const torch::Tensor& input, const torch::Tensor& weight, const torch::Tensor& seed, int64_t dilation) {
  const auto convolve = [dilation](const torch::Tensor& x, const torch::Tensor& w) {
    return at::conv2d(x, w, {}, 1, dilation, dilation, x.size(1));
  };
  return Differentiate(input.to(at::kDouble), weight.to(at::kDouble), seed.to(at::kDouble), convolve);
}

void ExpectNear(const torch::Tensor& actual, const torch::Tensor& expected, double relative, double absolute) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  EXPECT_TRUE(torch::allclose(actual.to(at::kDouble), expected, relative, absolute))
      << "largest difference " << (actual.to(at::kDouble) - expected).abs().max().item<double>();
}

class Bf16Autocast {
 public:
  Bf16Autocast() {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
  ~Bf16Autocast() { at::autocast::set_autocast_enabled(at::kCPU, false); }
};

struct Shape {
  std::vector<int64_t> input;
  int64_t dilation;
};

class DepthwiseConvTest : public testing::TestWithParam<Shape> {
 protected:
  DepthwiseConvTest() {
    torch::manual_seed(1);
    input_ = torch::rand(GetParam().input) - 0.5;
    weight_ = torch::rand({input_.size(1), 1, 3, 3}) - 0.5;
    seed_ = torch::rand_like(input_) - 0.5;
  }

  torch::Tensor input_, weight_, seed_;
};
INSTANTIATE_TEST_SUITE_P(Shapes, DepthwiseConvTest,
                         testing::Values(Shape{{2, 35, 9, 7}, 2}, Shape{{1, 1, 5, 5}, 3}, Shape{{3, 130, 16, 16}, 12},
                                         Shape{{2, 64, 16, 16}, 36}, Shape{{1, 3, 1, 1}, 2}));

TEST_P(DepthwiseConvTest, ValueAndGradientsAreThoseOfAConvolution) {
  const Results expected = InDouble(input_, weight_, seed_, GetParam().dilation);
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const Results actual =
        Ours(input_.contiguous(format), weight_.contiguous(format), seed_.contiguous(format), GetParam().dilation);
    EXPECT_EQ(actual.value.scalar_type(), at::kFloat);
    ExpectNear(actual.value, expected.value, 1e-6, 1e-6);
    ExpectNear(actual.input_gradient, expected.input_gradient, 1e-6, 1e-6);
    ExpectNear(actual.weight_gradient, expected.weight_gradient, 1e-5, 1e-5);
  }
}

// bfloat16 has 8 digits: values that are read and results differ by up to 2^-9 of them each.
TEST_P(DepthwiseConvTest, AutocastRoundsMapsToBfloat16) {
  const Results expected = InDouble(input_.to(at::kBFloat16), weight_, seed_.to(at::kBFloat16), GetParam().dilation);
  const Bf16Autocast autocast;
  const Results actual = Ours(input_, weight_, seed_, GetParam().dilation);
  EXPECT_EQ(actual.value.scalar_type(), at::kBFloat16);
  ExpectNear(actual.value, expected.value, 1.0 / 256, 1e-6);
  EXPECT_EQ(actual.input_gradient.scalar_type(), at::kFloat);
  ExpectNear(actual.input_gradient, expected.input_gradient, 1.0 / 256, 1e-6);
  EXPECT_EQ(actual.weight_gradient.scalar_type(), at::kFloat);
  ExpectNear(actual.weight_gradient, expected.weight_gradient, 1e-5, 1e-5);
}

TEST_P(DepthwiseConvTest, ThreadsDoNotChangeABit) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Results one = Ours(input_, weight_, seed_, GetParam().dilation);
  at::set_num_threads(3);
  const Results three = Ours(input_, weight_, seed_, GetParam().dilation);
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(one.value, three.value));
  EXPECT_TRUE(torch::equal(one.input_gradient, three.input_gradient));
  EXPECT_TRUE(torch::equal(one.weight_gradient, three.weight_gradient));
}

TEST(SeparableConvTest, DilatedOnesAreTheSameConvolutionInAnyMode) {
  torch::manual_seed(2);
  SeparableConv conv(20, 6, 4);
  const torch::Tensor x = torch::rand({2, 20, 11, 8});
  const torch::Tensor depthwise = at::conv2d(x, conv->named_parameters()["0.weight"], {}, 1, 4, 4, 20);
  const torch::Tensor expected = at::conv2d(depthwise, conv->pointwise()->weight).detach();
  EXPECT_TRUE(torch::allclose(conv(x), expected, 1e-5, 1e-5));
  const torch::InferenceMode inference;
  EXPECT_TRUE(torch::allclose(conv(x), expected, 1e-5, 1e-5));
}

}  // namespace
}  // namespace candor
