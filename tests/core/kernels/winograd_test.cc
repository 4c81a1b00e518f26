// SPDX-License-Identifier: Apache-2.0
//
// Both transforms with plain products between them, against the convolution in double.
#include "core/kernels/winograd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/tests/hwy_gtest.h"
#include "tests/core/kernels/test_map.h"

namespace candor {
namespace {

struct Case {
  int height, width, in, out, dilation;
};

// G g G^T for each pair of channels: [36][in][out].
std::vector<double> TransformFilter(const Case& c, const std::vector<float>& filter) {
  std::vector<double> planes(static_cast<size_t>(kWinogradPlanes) * c.in * c.out);
  for (int y = 0; y < kWinogradInput; ++y) {
    for (int x = 0; x < kWinogradInput; ++x) {
      for (int i = 0; i < c.in * c.out; ++i) {
        double sum = 0;
        for (int k = 0; k < 9; ++k) {
          sum += kWinogradFilter[y][k / 3] * kWinogradFilter[x][k % 3] * filter[k * c.in * c.out + i];
        }
        planes[(y * kWinogradInput + x) * c.in * c.out + i] = sum;
      }
    }
  }
  return planes;
}

// The products of both channels of every plane; tiles lie `out` floats apart.
template <class T>
std::vector<float> Multiply(const Case& c, const WinogradPlanes<T>& inputs, const std::vector<double>& filter,
                            int tiles) {
  std::vector<float> products(static_cast<size_t>(kWinogradPlanes) * tiles * c.out);
  for (int plane = 0; plane < kWinogradPlanes; ++plane) {
    for (int t = 0; t < tiles; ++t) {
      for (int o = 0; o < c.out; ++o) {
        double sum = 0;
        for (int i = 0; i < c.in; ++i) {
          sum += ToDouble(inputs.data[plane * inputs.plane_stride + t * inputs.tile_stride + i]) *
                 filter[(plane * c.in + i) * c.out + o];
        }
        products[(plane * tiles + t) * c.out + o] = static_cast<float>(sum);
      }
    }
  }
  return products;
}

template <class T>
double Convolved(const Case& c, const TestMap<T>& map, const std::vector<float>& filter, int y, int x, int o) {
  double sum = 0;
  for (int k = 0; k < 9; ++k) {
    for (int i = 0; i < c.in; ++i) {
      sum += map.Padded(y + (k / 3 - 1) * c.dilation, x + (k % 3 - 1) * c.dilation, i) *
             filter[(k * c.in + i) * c.out + o];
    }
  }
  return sum;
}

template <class T>
struct Convolution {
  explicit Convolution(const Case& c)
      : shape(c),
        input({c.height, c.width, c.in}, 2, 3),
        output({c.height, c.width, c.out}, 1, 5),
        filter(RandomFloats(static_cast<size_t>(9) * c.in * c.out, 7)),
        bias(RandomFloats(c.out, 8)) {
    input.FillAtRandom(9);
    output.FillAtRandom(10);
  }

  // The tiles in two calls.
  void Run(WinogradEpilogue epilogue) {
    const WinogradTiles tiles(input.size(), shape.dilation);
    const int halves[] = {0, tiles.count / 2, tiles.count};
    const std::vector<double> transformed = TransformFilter(shape, filter);
    epilogue.bias = bias.data();
    for (int half = 0; half < 2; ++half) {
      const int count = halves[half + 1] - halves[half];
      std::vector<T> values(static_cast<size_t>(kWinogradPlanes) * (count * (shape.in + 4) + 7));
      const WinogradPlanes<T> planes{values.data(), shape.in + 4, count * (shape.in + 4) + 7};
      WinogradInput(input.size(), std::as_const(input).view(), tiles, halves[half], halves[half + 1], planes);
      const std::vector<float> products = Multiply(shape, planes, transformed, count);
      WinogradOutput({products.data(), shape.out, static_cast<ptrdiff_t>(count) * shape.out}, output.size(), tiles,
                     halves[half], halves[half + 1], epilogue, output.view());
    }
  }

  Case shape;
  TestMap<T> input, output;
  std::vector<float> filter, bias;
};

template <class T>
void Check(const Case& c, bool adds_output, bool has_relu, double tolerance) {
  Convolution<T> convolution(c);
  const TestMap<T> before = convolution.output;
  convolution.Run({nullptr, adds_output, has_relu});
  TestMap<T> rest = convolution.output;  // with its pixels set back: the gaps between them
  for (int y = 0; y < c.height; ++y) {
    for (int x = 0; x < c.width; ++x) {
      for (int o = 0; o < c.out; ++o) {
        double want = Convolved(c, convolution.input, convolution.filter, y, x, o) + convolution.bias[o];
        if (adds_output) want += ToDouble(before.At(y, x, o));
        if (has_relu) want = std::max(want, 0.0);
        ASSERT_NEAR(ToDouble(convolution.output.At(y, x, o)), want, tolerance)
            << c.height << "x" << c.width << " dilation " << c.dilation << " at " << y << ", " << x << ", " << o;
        rest.At(y, x, o) = before.At(y, x, o);
      }
    }
  }
  EXPECT_EQ(rest.values(), before.values()) << "wrote between the pixels";
}

class WinogradTest : public hwy::TestWithParamTarget {};
HWY_TARGET_INSTANTIATE_TEST_SUITE_P(WinogradTest);

// Sums of up to 288 products have a deviation of up to 11. The worst of 35,000 results loses 6 percent of it where
// planes are bfloat16.
constexpr double kFloatTolerance = 1e-4;
constexpr double kBfloatTolerance = 1;

TEST_P(WinogradTest, IsTheConvolution) {
  for (const Case& c : std::vector<Case>{{8, 12, 16, 32, 1},
                                         {1, 1, 16, 16, 1},
                                         {23, 30, 16, 16, 2},
                                         {5, 3, 32, 16, 2},
                                         {7, 9, 16, 48, 1},
                                         {2, 17, 16, 16, 3}}) {
    for (const bool has_epilogue : {false, true}) {
      Check<float>(c, has_epilogue, has_epilogue, kFloatTolerance);
      Check<uint16_t>(c, has_epilogue, has_epilogue, kBfloatTolerance);
    }
  }
}

template <class T>
void CheckThatNanPasses() {
  Convolution<T> convolution({4, 4, 16, 16, 1});
  Assign(std::numeric_limits<float>::quiet_NaN(), &convolution.input.At(1, 1, 3));
  convolution.Run({nullptr, /*adds_output=*/false, /*has_relu=*/true});
  EXPECT_TRUE(std::isnan(ToDouble(convolution.output.At(1, 1, 5))));
}

TEST_P(WinogradTest, LetsNanThrough) {
  CheckThatNanPasses<float>();
  CheckThatNanPasses<uint16_t>();
}

// What a transform of the map loses by rounding is random: over many results it is one percent of their deviation.
TEST_P(WinogradTest, BfloatsLoseOnePercent) {
  const Case c{24, 24, 32, 32, 1};
  Convolution<uint16_t> convolution(c);
  convolution.Run({});
  double error = 0;
  double power = 0;
  for (int y = 0; y < c.height; ++y) {
    for (int x = 0; x < c.width; ++x) {
      for (int o = 0; o < c.out; ++o) {
        const double want = Convolved(c, convolution.input, convolution.filter, y, x, o) + convolution.bias[o];
        error += std::pow(ToDouble(convolution.output.At(y, x, o)) - want, 2);
        power += want * want;
      }
    }
  }
  EXPECT_LT(std::sqrt(error / power), 0.01);
}

TEST(WinogradTilesTest, CoverEveryPlainConvolution) {
  const WinogradTiles plain({92, 120, 16}, 1);
  EXPECT_EQ(plain.rows * plain.columns, 23 * 30);
  EXPECT_EQ(plain.count, 23 * 30);
  const WinogradTiles dilated({23, 30, 16}, 2);  // 12 x 15 and smaller: 3 x 4 tiles
  EXPECT_EQ(dilated.count, 4 * 3 * 4);
}

}  // namespace
}  // namespace candor
