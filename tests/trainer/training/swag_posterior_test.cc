// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/swag_posterior.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

NamedTensor Floats(const std::string& name, const std::vector<float>& values) {
  return {name,
          DType::kF32,
          {static_cast<int64_t>(values.size())},
          std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float))};
}

TensorFile Iterate(float a, float b, float mean) {
  return {{Floats("a.weight", {a}), Floats("b.weight", {b}), Floats("bn.running_mean", {mean})}, {}};
}

// By hand, three iterates (a, b) = (1, 4), (3, 4), (5, 1): means 3 and 3; running means of a 1, 2, 3, so that D has
// 0, 1, 2; of b 4, 4, 3, so 0, 0, -2. Population variances 8/3 and 2. Covariance with scale s:
// s (diag(8/3, 2) + D D^T / 2) with D D^T = ((5, -4), (-4, 4)).
TEST(SwagPosteriorTest, DrawsHaveThePapersMeanAndCovariance) {
  const auto posterior = SwagPosterior::Fit({Iterate(1, 4, 0), Iterate(3, 4, 0), Iterate(5, 1, 0)});
  ASSERT_THAT(posterior, IsOk());
  constexpr int kDraws = 40000;
  for (const double scale : {0.5, 2.0}) {
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < kDraws; ++i) {
      const TensorFile draw = posterior->Draw(i, scale);
      const double x = (*draw.tensors[0].ToFloats())[0] - 3;
      const double y = (*draw.tensors[1].ToFloats())[0] - 3;
      a += x / kDraws;
      b += y / kDraws;
      aa += x * x / kDraws;
      bb += y * y / kDraws;
      ab += x * y / kDraws;
    }
    // Five standard errors, of at most sqrt(2 / draws) of a variance.
    const double tolerance = 5 * std::sqrt(2.0 / kDraws) * scale * (8.0 / 3 + 2.5);
    EXPECT_NEAR(a, 0, 5 * std::sqrt(scale * (8.0 / 3 + 2.5) / kDraws));
    EXPECT_NEAR(b, 0, 5 * std::sqrt(scale * 4.0 / kDraws));
    EXPECT_NEAR(aa, scale * (8.0 / 3 + 2.5), tolerance);
    EXPECT_NEAR(bb, scale * (2 + 2), tolerance);
    EXPECT_NEAR(ab, scale * -2, tolerance);
  }
}

TEST(SwagPosteriorTest, ADrawFollowsFromItsSeed) {
  const auto posterior = SwagPosterior::Fit({Iterate(1, 4, 0), Iterate(3, 4, 0)});
  ASSERT_THAT(posterior, IsOk());
  EXPECT_EQ(posterior->Draw(7, 0.5).tensors[0].data, posterior->Draw(7, 0.5).tensors[0].data);
  EXPECT_NE(posterior->Draw(7, 0.5).tensors[0].data, posterior->Draw(8, 0.5).tensors[0].data);
}

TEST(SwagPosteriorTest, WeightsThatNeverMovedAreDrawnAsTheyAreAndStatisticsAreTheNewest) {
  const auto posterior = SwagPosterior::Fit({Iterate(1, 0.1f, 5), Iterate(3, 0.1f, 6)});
  ASSERT_THAT(posterior, IsOk());
  const TensorFile draw = posterior->Draw(1, 0.5);
  EXPECT_NEAR((*draw.tensors[1].ToFloats())[0], 0.1f, 1e-6);
  EXPECT_EQ((*draw.tensors[2].ToFloats())[0], 6);
}

TEST(SwagPosteriorTest, FewerThanTwoOrOtherNetworksAreRefused) {
  EXPECT_THAT(SwagPosterior::Fit({Iterate(1, 2, 3)}),
              HasStatus(StatusCode::kInvalidArgument, "iterates: must be at least 2, got 1"));
  TensorFile other = Iterate(1, 2, 3);
  other.tensors[1].name = "c.weight";
  EXPECT_THAT(SwagPosterior::Fit({Iterate(1, 2, 3), other}),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("differ in names or shapes")));
}

}  // namespace
}  // namespace candor
