// SPDX-License-Identifier: Apache-2.0
//
// The reducer of the GPU on tensors of the CPU, with the kernel's per-pixel code in a loop, against the CPU's.
#include "core/segmenter/cuda_reducer.h"

#include <limits>
#include <utility>
#include <vector>

#include "core/base/float16.h"
#include "core/uncertainty/cpu_reducer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/segmenter/loop_plugin.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

PendingAnswers::Answers Taken(absl::StatusOr<PendingAnswers> pending) {
  if (!pending.ok()) return pending.status();
  return (*std::move(pending)).Take();
}

std::vector<Segmentation> Reduce(ScoreReducer* reducer, const std::vector<Scores>& members,
                                 const PredictRequest& request, const std::vector<UncertaintyKind>& learned = {}) {
  reducer->Reset(static_cast<int>(members.size()), {learned});
  for (size_t m = 0; m < members.size(); ++m) EXPECT_THAT(reducer->Add(static_cast<int>(m), members[m]), IsOk());
  const std::vector<PictureRequest> requests(static_cast<size_t>(members[0].logits.size(0)), {{30, 27}, request});
  return *Taken(reducer->Finish(requests));
}

void ExpectNear(const std::vector<float>& actual, const std::vector<float>& want, float tolerance) {
  ASSERT_EQ(actual.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(actual[i], want[i], tolerance) << i;
}

TEST(CudaReducerTest, AgreesWithTheCpusReducer) {
  torch::manual_seed(3);
  std::vector<Scores> members;
  for (int m = 0; m < 3; ++m) members.push_back({3 * torch::randn({2, 5, 8, 7}), {}});
  std::vector<KindRequest> kinds;
  for (const UncertaintyKind kind : kMemberUncertaintyKinds) kinds.push_back({kind, true, 0.1f});
  const PredictRequest request = {kinds, /*want_probabilities=*/true};
  LoopPlugin plugin;
  CudaReducer cuda(&plugin, torch::kCPU);
  CpuReducer cpu;
  const std::vector<Segmentation> actual = Reduce(&cuda, members, request);
  const std::vector<Segmentation> want = Reduce(&cpu, members, request);
  ASSERT_EQ(actual.size(), 2);
  for (int n = 0; n < 2; ++n) {
    ExpectNear(actual[n].probabilities, want[n].probabilities, 5e-4f);
    for (size_t k = 0; k < kinds.size(); ++k) {
      // A rounded score may change a member's vote.
      if (kinds[k].kind == UncertaintyKind::kDisagreement) continue;
      SCOPED_TRACE(UncertaintyKindName(kinds[k].kind));
      ExpectNear(actual[n].kinds[k].map, want[n].kinds[k].map, 1e-3f);
    }
  }
}

TEST(CudaReducerTest, AgreesWithTheCpusReducerInLearnedKinds) {
  torch::manual_seed(4);
  const std::vector<Scores> student = {{3 * torch::randn({2, 5, 8, 7}), 2 * torch::randn({2, 2, 8, 7})}};
  const std::vector<UncertaintyKind> learned = {UncertaintyKind::kPredictiveStddev,
                                                UncertaintyKind::kMutualInformation};
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kMutualInformation, true},
                                          {UncertaintyKind::kPredictiveEntropy, true},
                                          {UncertaintyKind::kPredictiveStddev, true}};
  LoopPlugin plugin;
  CudaReducer cuda(&plugin, torch::kCPU);
  CpuReducer cpu;
  const std::vector<Segmentation> actual = Reduce(&cuda, student, {kinds}, learned);
  const std::vector<Segmentation> want = Reduce(&cpu, student, {kinds}, learned);
  for (int n = 0; n < 2; ++n) {
    for (size_t k = 0; k < kinds.size(); ++k) ExpectNear(actual[n].kinds[k].map, want[n].kinds[k].map, 1e-5f);
  }
}

TEST(CudaReducerTest, AgreesWithTheCpusReducerInARegionAfterSomeMembers) {
  torch::manual_seed(5);
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kPredictiveStddev, true, 0.1f}};
  LoopPlugin plugin;
  CudaReducer cuda(&plugin, torch::kCPU);
  CpuReducer cpu;
  const PictureRequest whole = {{30, 27}, {kinds}};
  PictureRequest part = whole;
  part.request.region = Region{3, 6, 11, 20};
  for (ScoreReducer* reducer : std::initializer_list<ScoreReducer*>{&cuda, &cpu}) reducer->Reset(4, {});
  for (int m = 0; m < 3; ++m) {  // the fourth never comes
    const Scores scores = {3 * torch::randn({2, 5, 8, 7}), {}};
    ASSERT_THAT(cuda.Add(m, scores), IsOk());
    ASSERT_THAT(cpu.Add(m, scores), IsOk());
  }
  const auto actual = Taken(cuda.Finish({whole, part}));
  const auto want = Taken(cpu.Finish({whole, part}));
  ASSERT_THAT(actual, IsOk());
  ASSERT_THAT(want, IsOk());
  for (int n = 0; n < 2; ++n) {
    EXPECT_EQ((*actual)[n].members, 3);
    EXPECT_EQ((*want)[n].members, 3);
    EXPECT_EQ((*actual)[n].width, (*want)[n].width);
    ExpectNear((*actual)[n].kinds[0].map, (*want)[n].kinds[0].map, 1e-3f);
  }
  EXPECT_EQ((*want)[1].width, 11);
}

void ExpectSameFigures(const KindStatistics& actual, const KindStatistics& want, int64_t pixels) {
  constexpr float kBin = 1.8f / 1024;  // of entropies of 5 classes, the widest
  EXPECT_EQ(actual.kind, want.kind);
  EXPECT_NEAR(actual.mean, want.mean, 1e-4f);
  EXPECT_NEAR(actual.max, want.max, 1e-3f);
  EXPECT_NEAR(actual.median, want.median, 2 * kBin);
  EXPECT_NEAR(actual.p90, want.p90, 2 * kBin);
  EXPECT_NEAR(actual.p99, want.p99, 2 * kBin);
  EXPECT_EQ(actual.threshold, want.threshold);
  EXPECT_NEAR(actual.share_above_threshold, want.share_above_threshold, 0.01f);
  int64_t counted = 0;
  int64_t moved = 0;  // pixels in another bin by a rounded score
  for (size_t i = 0; i < actual.histogram.size(); ++i) {
    counted += actual.histogram[i];
    moved += std::abs(actual.histogram[i] - want.histogram[i]);
  }
  EXPECT_EQ(counted, pixels);
  EXPECT_LE(moved, pixels / 50);
}

// Without maps, so that nothing but the kernel's own figures can be in the answer.
TEST(CudaReducerTest, FiguresWithoutMapsAgreeWithTheCpusReducer) {
  torch::manual_seed(6);
  std::vector<Scores> members;
  for (int m = 0; m < 3; ++m) members.push_back({3 * torch::randn({2, 5, 8, 7}), {}});
  std::vector<KindRequest> kinds;
  for (const UncertaintyKind kind : kMemberUncertaintyKinds) {
    if (kind != UncertaintyKind::kDisagreement) kinds.push_back({kind, false, 0.1f});
  }
  LoopPlugin plugin;
  CudaReducer cuda(&plugin, torch::kCPU);
  CpuReducer cpu;
  const std::vector<Segmentation> actual = Reduce(&cuda, members, {kinds});
  const std::vector<Segmentation> want = Reduce(&cpu, members, {kinds});
  for (int n = 0; n < 2; ++n) {
    for (size_t k = 0; k < kinds.size(); ++k) {
      SCOPED_TRACE(UncertaintyKindName(kinds[k].kind));
      EXPECT_TRUE(actual[n].kinds[k].map.empty());
      EXPECT_TRUE(actual[n].kinds[k].halves.empty());
      ExpectSameFigures(actual[n].kinds[k].statistics, want[n].kinds[k].statistics, 30 * 27);
    }
    EXPECT_EQ(actual[n].labels, want[n].labels);
    ASSERT_EQ(actual[n].classes.size(), 5);
    for (int c = 0; c < 5; ++c) {
      EXPECT_EQ(actual[n].classes[c].pixels, want[n].classes[c].pixels);
      EXPECT_NEAR(actual[n].classes[c].uncertainty_sum, want[n].classes[c].uncertainty_sum, 0.05);
    }
  }
}

TEST(CudaReducerTest, GivesTheMapAsHalvesOfTheFloats) {
  torch::manual_seed(7);
  const std::vector<Scores> member = {{3 * torch::randn({1, 5, 8, 7}), {}}};
  const std::vector<KindRequest> floats = {{UncertaintyKind::kPredictiveEntropy, true}, {UncertaintyKind::kMargin}};
  std::vector<KindRequest> halves = floats;
  halves[0].as_halves = true;
  LoopPlugin plugin;
  CudaReducer cuda(&plugin, torch::kCPU);
  const Segmentation want = Reduce(&cuda, member, {floats})[0];
  const Segmentation actual = Reduce(&cuda, member, {halves})[0];
  EXPECT_TRUE(actual.kinds[0].map.empty());
  EXPECT_TRUE(actual.kinds[1].halves.empty());
  ASSERT_EQ(actual.kinds[0].halves.size(), 30 * 27);
  for (size_t i = 0; i < actual.kinds[0].halves.size(); ++i) {
    ASSERT_EQ(actual.kinds[0].halves[i], FloatToHalf(want.kinds[0].map[i]));
  }
}

TEST(CudaReducerTest, CountsClassesWithoutAnyKind) {
  torch::Tensor logits = torch::zeros({1, 5, 8, 7});
  logits.select(1, 3).fill_(1);
  LoopPlugin plugin;
  CudaReducer cuda(&plugin, torch::kCPU);
  const Segmentation actual = Reduce(&cuda, {{logits, {}}}, {})[0];
  EXPECT_EQ(actual.classes[3].pixels, 30 * 27);
  EXPECT_EQ(actual.labels[0], 3);
}

TEST(CudaReducerTest, ReportsAValueThatIsNotFinite) {
  torch::Tensor logits = torch::zeros({1, 5, 8, 7});
  logits[0][2][3][3] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kPredictiveEntropy}};
  LoopPlugin plugin;
  CudaReducer cuda(&plugin, torch::kCPU);
  cuda.Reset(1, {});
  ASSERT_THAT(cuda.Add(0, {logits, {}}), IsOk());
  const auto result = Taken(cuda.Finish({PictureRequest{{30, 27}, {kinds}}}));
  EXPECT_THAT(result, HasStatus(absl::StatusCode::kInternal,
                                testing::HasSubstr("NON_FINITE_OUTPUT: predictive_entropy has a value that is")));
}

TEST(CudaReducerTest, GivesProbabilitiesOnlyWhenAskedFor) {
  LoopPlugin plugin;
  CudaReducer cuda(&plugin, torch::kCPU);
  EXPECT_TRUE(Reduce(&cuda, {{torch::zeros({1, 5, 8, 7}), {}}}, {})[0].probabilities.empty());
}

}  // namespace
}  // namespace candor
