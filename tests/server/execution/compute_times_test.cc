// SPDX-License-Identifier: Apache-2.0
#include "server/execution/compute_times.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using std::chrono::milliseconds;

TEST(ComputeTimesTest, KnowsNothingAtFirst) {
  const ComputeTimes times;
  EXPECT_EQ(times.Expect("m", 256, 1), SteadyDuration::zero());
  EXPECT_EQ(times.ExpectAnyAtMost("m"), SteadyDuration::zero());
  EXPECT_EQ(times.ExpectAtMost("m", 256), SteadyDuration::zero());
}

TEST(ComputeTimesTest, ExpectsTheMedianOfTheLastEight) {
  ComputeTimes times;
  for (const int ms : {900, 900, 900, 10, 11, 12, 13, 14, 500, 15, 16}) times.Add("m", 256, 1, milliseconds(ms));
  // The last eight, sorted: 10 11 12 13 14 15 16 500.
  EXPECT_EQ(times.Expect("m", 256, 1), milliseconds(14));
  EXPECT_EQ(times.ExpectAtMost("m", 256), milliseconds(16)) << "one in eight was longer";
  EXPECT_EQ(times.ExpectAnyAtMost("m"), milliseconds(16));
}

TEST(ComputeTimesTest, SizesBatchesAndModelsAreApart) {
  ComputeTimes times;
  times.Add("m", 256, 1, milliseconds(10));
  times.Add("m", 256, 4, milliseconds(20));
  EXPECT_EQ(times.Expect("m", 256, 4), milliseconds(20));
  EXPECT_EQ(times.Expect("m", 256, 3), milliseconds(30)) << "never measured: three times one";
  EXPECT_EQ(times.Expect("m", 512, 1), SteadyDuration::zero());
  EXPECT_EQ(times.Expect("n", 256, 1), SteadyDuration::zero());
  EXPECT_EQ(times.ExpectAnyAtMost("m"), milliseconds(10)) << "of 5 and 10 a picture";
}

TEST(ComputeTimesTest, DoubtTakesAFifthOff) {
  ComputeTimes times;
  times.Add("m", 256, 1, milliseconds(100));
  times.Doubt("m", 256, 1);
  EXPECT_EQ(times.Expect("m", 256, 1), milliseconds(80));
  EXPECT_EQ(times.ExpectAnyAtMost("m"), milliseconds(80));
}

TEST(ComputeTimesTest, ManySizesDoNotGrowWithoutBound) {
  ComputeTimes times;
  for (int i = 0; i < 5000; ++i) times.Add("m", i, 1, milliseconds(1));
  EXPECT_EQ(times.Expect("m", 0, 1), SteadyDuration::zero()) << "forgotten";
  EXPECT_EQ(times.Expect("m", 4999, 1), milliseconds(1));
}

}  // namespace
}  // namespace candor
