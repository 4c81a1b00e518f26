// SPDX-License-Identifier: Apache-2.0
//
// The GPU's per-pixel code, compiled for the CPU, against the plain reference: the part of the kernel that needs no
// GPU.
#include "core/engine/cuda/pixel_reduction.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/uncertainty/reference_reduction.h"

namespace candor {
namespace {

CudaReduceJob JobFor(const ScoreGrid& grid) {
  CudaReduceJob job;
  job.members = grid.members;
  job.classes = grid.classes;
  job.low_height = grid.height;
  job.low_width = grid.width;
  job.height = 4 * grid.height;
  job.width = 4 * grid.width;
  job.scores = grid.values.data();
  return job;
}

TEST(PixelReductionTest, EveryKindAgreesWithTheReference) {
  const ScoreGrid grid = RandomScores(10, 11, 5, 7, 3.0, 4);
  const CudaReduceJob job = JobFor(grid);
  for (int y = 0; y < job.height; ++y) {
    for (int x = 0; x < job.width; ++x) {
      const ReferencePixel want = ReferenceReduce(grid, y, x);
      const PixelReduction got = ReducePixel(job, y, x);
      if (want.lead > 1e-5) {
        ASSERT_EQ(got.label, want.label) << y << ", " << x;
      }
      for (const UncertaintyKind kind : kMemberUncertaintyKinds) {
        if (kind == UncertaintyKind::kDisagreement && want.least_member_lead < 1e-5) continue;
        const int k = static_cast<int>(kind);
        ASSERT_NEAR(got.kinds[k], want.kinds[k], 2e-5) << UncertaintyKindName(kind) << " at " << y << ", " << x;
      }
    }
  }
}

TEST(PixelReductionTest, NoKindHidesAScoreThatIsNotFinite) {
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    ScoreGrid grid = RandomScores(3, 5, 4, 4, 1.0, 7);
    grid.values[(1 * 5 + 2) * 16 + 5] = bad;  // of the second member's third class
    const ScoreGrid learned = RandomScores(1, 1, 4, 4, 4.0, 6);
    CudaReduceJob job = JobFor(grid);
    job.learned[static_cast<int>(UncertaintyKind::kPredictiveStddev)] = learned.values.data();
    job.learned_max[static_cast<int>(UncertaintyKind::kPredictiveStddev)] = 1;
    for (const UncertaintyKind kind : kMemberUncertaintyKinds) {
      EXPECT_TRUE(std::isnan(ReducePixel(job, 5, 5).kinds[static_cast<int>(kind)])) << UncertaintyKindName(kind);
      EXPECT_TRUE(std::isfinite(ReducePixel(job, 15, 15).kinds[static_cast<int>(kind)])) << UncertaintyKindName(kind);
    }
  }
}

TEST(PixelReductionTest, StudentsStddevIsTheSigmoidOfTheUpsampledScore) {
  const ScoreGrid grid = RandomScores(1, 3, 4, 4, 1.0, 5);
  const ScoreGrid learned = RandomScores(1, 1, 4, 4, 4.0, 6);
  CudaReduceJob job = JobFor(grid);
  job.learned[static_cast<int>(UncertaintyKind::kPredictiveStddev)] = learned.values.data();
  job.learned_max[static_cast<int>(UncertaintyKind::kPredictiveStddev)] = 1;
  for (int i = 0; i < 16; ++i) {
    const double want = 1 / (1 + std::exp(-ReferenceSample(learned, 0, 0, i, 15 - i)));
    EXPECT_NEAR(ReducePixel(job, i, 15 - i).kinds[static_cast<int>(UncertaintyKind::kPredictiveStddev)], want, 2e-6);
  }
}

TEST(PixelReductionTest, ALearnedKindReplacesTheComputedOne) {
  const ScoreGrid grid = RandomScores(1, 3, 4, 4, 1.0, 5);
  const ScoreGrid learned = RandomScores(1, 1, 4, 4, 4.0, 6);
  const int entropy = static_cast<int>(UncertaintyKind::kPredictiveEntropy);
  CudaReduceJob job = JobFor(grid);
  job.learned[entropy] = learned.values.data();
  job.learned_max[entropy] = UncertaintyKindMax(UncertaintyKind::kPredictiveEntropy, 3);
  const double want = std::log(3.0) / (1 + std::exp(-ReferenceSample(learned, 0, 0, 7, 2)));
  EXPECT_NEAR(ReducePixel(job, 7, 2).kinds[entropy], want, 4e-6);
}

}  // namespace
}  // namespace candor
