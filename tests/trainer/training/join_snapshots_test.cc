// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/join_snapshots.h"

#include "core/segmenter/segmenter.h"
#include "tests/trainer/training/training_fixture.h"
#include "trainer/training/snapshots.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class JoinSnapshotsTest : public TrainingFixture {
 protected:
  // Names of the snapshots of member 0.
  std::vector<std::string> Snapshots(const std::string& run) const {
    std::vector<std::string> names;
    for (const std::string& path : ListSnapshots(MemberFolder(Run(run), 0))) {
      names.push_back(std::filesystem::path(path).stem().string());
    }
    return names;
  }
  JoinOptions Of(const std::string& run, int last = 0) const { return {Run(run), 0, last, Run("joined")}; }
};

// 12 steps, three cycles of four: the rate starts anew with each, and each end is kept and nothing else.
TEST_F(JoinSnapshotsTest, ACyclicTrainingKeepsTheEndsOfItsCycles) {
  const TrainOptions options = Options("schedule: 'cyclic' cycles: 3 validate_every: 2");
  ASSERT_EQ(TrainMember(options, Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  EXPECT_THAT(Snapshots("run"), ElementsAre("step-000000004", "step-000000008", "step-000000012"));
  for (const size_t step : {0, 4, 8}) {
    EXPECT_FLOAT_EQ(static_cast<float>(recorder_.steps[step].learning_rate), 0.01f);
  }
  EXPECT_NEAR(recorder_.steps[2].learning_rate, 0.005, 1e-9);
}

// Cycles of 12 / 5 steps, so that ends lie within epochs.
TEST_F(JoinSnapshotsTest, ATrainingThatWasStoppedKeepsTheSameSnapshots) {
  const TrainOptions options = Options("schedule: 'cyclic' cycles: 5 epochs: 6");
  Uninterrupted(options, "whole");
  ASSERT_THAT(Snapshots("whole"), SizeIs(5));
  for (const int times : {1, 5, 9, 12, 30}) {
    const std::string run = absl::StrCat("stopped", times);
    ASSERT_EQ(TrainMember(options, Run(run), 0, StopAfter(times)).value(), RunOutcome::kStopped);
    Uninterrupted(options, run);
    EXPECT_EQ(Snapshots(run), Snapshots("whole"));
    for (const std::string& name : Snapshots("whole")) {
      const std::string file = "/snapshots/" + name + ".safetensors";
      EXPECT_TRUE(Contents(MemberFolder(Run(run), 0) + file) == Contents(MemberFolder(Run("whole"), 0) + file));
    }
  }
}

TEST_F(JoinSnapshotsTest, SnapshotsBecomeAnEnsembleThatServes) {
  const TrainOptions options = Options("schedule: 'cyclic' epochs: 30 cycles: 3 training: 'made up'");
  Uninterrupted(options, "run");
  ASSERT_THAT(JoinSnapshots(Of("run")), IsOk());
  const auto bundle = ReadBundle(Run("joined"));
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->spec.kind, ModelKind::kEnsemble);
  EXPECT_EQ(bundle->spec.training, "made up");
  ASSERT_THAT(bundle->members, SizeIs(3));
  // The last cycle's end is the model, stored in the same type.
  EXPECT_EQ(Contents(Run("joined") + "/member_2.safetensors"), WeightsOf(MemberModel(Run("run"), 0)));
  const auto segmenter = LoadSegmenter(Run("joined"), {});
  ASSERT_THAT(segmenter, IsOk());
  EXPECT_EQ((*segmenter)->info().spec.default_kind(), UncertaintyKind::kPredictiveStddev);
}

TEST_F(JoinSnapshotsTest, TheNewestSnapshotsAreTakenWhereFewerAreAskedFor) {
  Uninterrupted(Options("snapshots: 3"), "run");
  ASSERT_THAT(JoinSnapshots(Of("run", 2)), IsOk());
  const auto bundle = ReadBundle(Run("joined"));
  ASSERT_THAT(bundle, IsOk());
  ASSERT_THAT(bundle->members, SizeIs(2));
  EXPECT_EQ(Contents(Run("joined") + "/member_1.safetensors"), WeightsOf(MemberModel(Run("run"), 0)));
}

TEST_F(JoinSnapshotsTest, WhatCannotBeJoinedIsOneClearError) {
  EXPECT_THAT(JoinSnapshots(Of("none")), HasStatus(StatusCode::kFailedPrecondition,
                                                   AllOf(HasSubstr("none/members/0"), HasSubstr("not finished"))));
  Uninterrupted(Options("snapshots: 1"), "one");
  EXPECT_THAT(JoinSnapshots(Of("one")),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("at least 2 snapshots, has 1")));
  EXPECT_THAT(JoinSnapshots(Of("one", 3)),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("at least 3 snapshots, has 1")));
  EXPECT_THAT(JoinSnapshots(Of("one", 1)), HasStatus(StatusCode::kInvalidArgument, "last: must be in [2, 128], got 1"));
  WriteContents(MemberFolder(Run("one"), 0) + "/snapshots/step-000000001.safetensors", "no weights");
  EXPECT_THAT(JoinSnapshots(Of("one")),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("step-000000001.safetensors: ")));
}

}  // namespace
}  // namespace candor
