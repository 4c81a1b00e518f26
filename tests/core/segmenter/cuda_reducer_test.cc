// SPDX-License-Identifier: Apache-2.0
//
// The reducer of the GPU on tensors of the CPU, with the kernel's per-pixel code in a loop, against the CPU's.
#include "core/segmenter/cuda_reducer.h"

#include <memory>
#include <vector>

#include "core/engine/cuda/pixel_reduction.h"
#include "core/uncertainty/cpu_reducer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

class LoopPlugin : public CudaPlugin {
 public:
  const char* Reduce(const CudaReduceJob& job, CUstream_st* /*stream*/) override {
    for (int y = 0; y < job.height; ++y) {
      for (int x = 0; x < job.width; ++x) {
        const PixelReduction pixel = ReducePixel(job, job.top + y, job.left + x);
        const int index = y * job.width + x;
        job.labels[index] = static_cast<unsigned char>(pixel.label);
        for (size_t k = 0; k < kAllUncertaintyKinds.size(); ++k) {
          if (job.maps[k] != nullptr) job.maps[k][index] = pixel.kinds[k];
        }
      }
    }
    return nullptr;
  }
};

std::vector<Segmentation> Reduce(ScoreReducer* reducer, const std::vector<Scores>& members,
                                 const PredictRequest& request, const std::vector<UncertaintyKind>& learned = {}) {
  reducer->Reset(static_cast<int>(members.size()), {learned});
  for (size_t m = 0; m < members.size(); ++m) EXPECT_THAT(reducer->Add(static_cast<int>(m), members[m]), IsOk());
  const std::vector<PictureRequest> requests(static_cast<size_t>(members[0].logits.size(0)), {{30, 27}, request});
  return *reducer->Finish(requests);
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
  CudaReducer cuda(&plugin);
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
  CudaReducer cuda(&plugin);
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
  CudaReducer cuda(&plugin);
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
  const auto actual = cuda.Finish({whole, part});
  const auto want = cpu.Finish({whole, part});
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

TEST(CudaReducerTest, GivesProbabilitiesOnlyWhenAskedFor) {
  LoopPlugin plugin;
  CudaReducer cuda(&plugin);
  EXPECT_TRUE(Reduce(&cuda, {{torch::zeros({1, 5, 8, 7}), {}}}, {})[0].probabilities.empty());
}

}  // namespace
}  // namespace candor
