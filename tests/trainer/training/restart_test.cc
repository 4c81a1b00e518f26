// SPDX-License-Identifier: Apache-2.0
//
// A run that was broken off, whenever and however often, ends with the bits of one that was not.
#include <string>

#include "tests/trainer/training/training_fixture.h"

namespace candor {
namespace {

using testing::SizeIs;

// Each option draws on something else that a checkpoint has to carry.
class RestartTest : public TrainingFixture, public testing::WithParamInterface<const char*> {
 protected:
  // Stops at the question `times`, then goes on. Returns the weights' bytes and whether it stopped at all.
  std::pair<std::string, bool> Interrupted(const TrainOptions& options, int times) {
    const std::string run = Run(absl::StrCat("stopped", times));
    const RunOutcome outcome = TrainMember(options, run, 0, StopAfter(times)).value();
    if (outcome == RunOutcome::kStopped) {
      EXPECT_FALSE(std::filesystem::exists(MemberModel(run, 0))) << times;
      EXPECT_EQ(TrainMember(options, run, 0, ToTheEnd()).value(), RunOutcome::kDone) << times;
    }
    return {WeightsOf(MemberModel(run, 0)), outcome == RunOutcome::kStopped};
  }
};

// It is asked before each of 12 steps and each of 3 times 4 validation pictures.
TEST_P(RestartTest, StoppedAtAnyQuestionItEndsWithTheSameBits) {
  const TrainOptions options = Options(GetParam());
  const std::string whole = Uninterrupted(options, "whole");
  ASSERT_NE(whole, "");
  int stops = 0;
  for (int times = 0;; ++times) {
    const auto [bytes, stopped] = Interrupted(options, times);
    EXPECT_TRUE(bytes == whole) << "stopped at question " << times;
    if (!stopped) break;
    ++stops;
  }
  EXPECT_EQ(stops, 24);
}

INSTANTIATE_TEST_SUITE_P(Recipes, RestartTest,
                         testing::Values("",
                                         "ema_decay: 0.9 keep: 'best' cutmix_probability: 0.5 jitter_hue: 0.1 "
                                         "class_weights: 'median_frequency' precision: 'bf16'",
                                         "dropout: 0.3 poly_phase: 1 snapshots: 2"));

class RestartOnceTest : public TrainingFixture {};

TEST_F(RestartOnceTest, StoppedAtEveryStepItEndsWithTheSameBits) {
  const std::string whole = Uninterrupted(Options(), "whole");
  int starts = 0;
  RunOutcome outcome = RunOutcome::kStopped;
  // Five questions are enough for a validation, after which the next step is taken.
  for (; outcome == RunOutcome::kStopped && starts < 100; ++starts) {
    outcome = TrainMember(Options(), Run("run"), 0, StopAfter(5)).value();
  }
  EXPECT_GT(starts, 3);
  EXPECT_TRUE(WeightsOf(MemberModel(Run("run"), 0)) == whole);
}

// A signal is noted for good, but a test of ours or a caller's may say it only once.
TEST_F(RestartOnceTest, OneWordDuringValidationIsEnough) {
  const TrainOptions options = Options();
  const std::string whole = Uninterrupted(options, "whole");
  for (const int when : {5, 23}) {  // in the first and in the last validation
    const std::string run = Run(absl::StrCat("run", when));
    int asked = 0;
    RunControl control = ToTheEnd();
    control.stop_requested = [&] { return asked++ == when; };
    EXPECT_EQ(TrainMember(options, run, 0, control).value(), RunOutcome::kStopped);
    recorder_ = {};
    EXPECT_EQ(TrainMember(options, run, 0, ToTheEnd()).value(), RunOutcome::kDone);
    EXPECT_EQ(recorder_.starts[0].first_step, when == 5 ? 4 : 12);
    EXPECT_EQ(recorder_.validations[0].step, when == 5 ? 4 : 12);
    EXPECT_TRUE(WeightsOf(MemberModel(run, 0)) == whole);
  }
}

TEST_F(RestartOnceTest, ADamagedNewestCheckpointCostsOnlyTheStepsSinceTheOneBefore) {
  const std::string whole = Uninterrupted(Options(), "whole");
  ASSERT_EQ(TrainMember(Options(), Run("run"), 0, StopAfter(10)).value(), RunOutcome::kStopped);
  const std::set<std::string> checkpoints = CheckpointsOf(MemberFolder(Run("run"), 0));
  ASSERT_THAT(checkpoints, SizeIs(2));
  const std::string newest = *checkpoints.rbegin();
  WriteContents(newest, Contents(newest).substr(0, 1000));
  recorder_ = {};
  EXPECT_EQ(TrainMember(Options(), Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  EXPECT_EQ(recorder_.starts[0].first_step, 4);
  EXPECT_TRUE(WeightsOf(MemberModel(Run("run"), 0)) == whole);
}

}  // namespace
}  // namespace candor
