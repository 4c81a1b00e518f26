// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/meaning_reducer.h"

#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

// Stands for the GPU: counts what reaches it, and answers with one empty result.
class CountingReducer : public ScoreReducer {
 public:
  explicit CountingReducer(int* added) : added_(added) {}
  void Reset(int /*members*/, const ScoreMeaning& /*meaning*/) override {}
  absl::Status Add(int /*index*/, const Scores& /*scores*/) override {
    ++*added_;
    return absl::OkStatus();
  }
  absl::StatusOr<PendingAnswers> Finish(absl::Span<const PictureRequest> /*requests*/) override {
    return std::vector<Segmentation>(1);
  }

 private:
  int* const added_;
};

std::vector<float> DeviationsOf(ScoreReducer* reducer, const ScoreMeaning& meaning, const Scores& scores) {
  reducer->Reset(1, meaning);
  EXPECT_THAT(reducer->Add(0, scores), IsOk());
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kPredictiveStddev, true}};
  const std::vector<PictureRequest> requests(1, {{16, 16}, {kinds}});
  auto pending = reducer->Finish(requests);
  EXPECT_THAT(pending, IsOk());
  const auto results = (*std::move(pending)).Take();
  EXPECT_THAT(results, IsOk());
  return (*results)[0].kinds.empty() ? std::vector<float>() : (*results)[0].kinds[0].map;
}

TEST(MeaningReducerTest, OnlyWhatTheKernelCanReadReachesTheGpu) {
  torch::manual_seed(1);
  const Scores scores = {torch::randn({1, 3, 4, 4}), torch::randn({1, 3, 4, 4})};
  ScoreMeaning plain;
  plain.learned = {UncertaintyKind::kPredictiveStddev, UncertaintyKind::kPredictiveEntropy, UncertaintyKind::kMargin};
  ScoreMeaning per_class;
  per_class.learned = {UncertaintyKind::kPredictiveStddev};
  per_class.is_learned_per_class = true;
  ScoreMeaning dirichlet;
  dirichlet.is_dirichlet = true;
  int added = 0;
  MeaningReducer reducer(std::make_unique<CountingReducer>(&added));
  CpuReducer cpu;
  EXPECT_TRUE(DeviationsOf(&reducer, plain, scores).empty());
  EXPECT_EQ(added, 1);
  EXPECT_EQ(DeviationsOf(&reducer, per_class, scores), DeviationsOf(&cpu, per_class, scores));
  const Scores alone = {scores.logits, {}};
  EXPECT_EQ(DeviationsOf(&reducer, dirichlet, alone), DeviationsOf(&cpu, dirichlet, alone));
  EXPECT_EQ(added, 1);
}

}  // namespace
}  // namespace candor
