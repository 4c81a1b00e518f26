// SPDX-License-Identifier: Apache-2.0
//
// From a training with a tail to an ensemble of draws, on a data set on disk.
#include "trainer/training/swag.h"

#include <cmath>

#include "core/model/bundle.h"
#include "core/segmenter/segmenter.h"
#include "tests/trainer/training/training_fixture.h"
#include "trainer/training/snapshots.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kTail[] = "schedule: 'constant_tail' epochs: 30 tail_share: 0.2 snapshots: 4 validate_every: 30";

class SwagTest : public TrainingFixture {
 protected:
  absl::StatusOr<RunOutcome> Sample(const TrainOptions& options, const std::string& out, int samples = 3,
                                    double scale = 0.5) {
    return SampleSwag(options, Run("run"), {0, samples, scale, Run(out)}, ToTheEnd().stop_requested);
  }
};

TEST_F(SwagTest, DrawsOfATailServeAndRepeatThemselves) {
  Uninterrupted(Options(kTail), "run");
  const auto files = ListSnapshots(MemberFolder(Run("run"), 0));
  ASSERT_THAT(files, SizeIs(4));
  EXPECT_THAT(files[0], HasSubstr("step-000000108"));  // of 120: the ends of the last four epochs
  ASSERT_EQ(Sample(Options(kTail), "a").value(), RunOutcome::kDone);
  ASSERT_EQ(Sample(Options(kTail), "b").value(), RunOutcome::kDone);
  const auto bundle = ReadBundle(Run("a"));
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->spec.kind, ModelKind::kEnsemble);
  ASSERT_THAT(bundle->members, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    const std::string file = absl::StrCat("/member_", i, ".safetensors");
    EXPECT_TRUE(Contents(Run("a") + file) == Contents(Run("b") + file)) << i;
  }
  EXPECT_NE(Contents(Run("a") + "/member_0.safetensors"), Contents(Run("a") + "/member_1.safetensors"));
  const auto segmenter = LoadSegmenter(Run("a"), {});
  ASSERT_THAT(segmenter, IsOk());
  // What the training has learned is still there: a barn is no meadow.
  Image barn{32, 32, {}};
  Image meadow{32, 32, {}};
  for (int i = 0; i < 32 * 32; ++i) {
    barn.pixels.insert(barn.pixels.end(), {200, 0, 0});
    meadow.pixels.insert(meadow.pixels.end(), {0, 128, 0});
  }
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kMutualInformation, true}};
  const PredictRequest request = {kinds};
  const auto red = (*segmenter)->Segment(barn, request, nullptr);
  const auto green = (*segmenter)->Segment(meadow, request, nullptr);
  ASSERT_THAT(red, IsOk());
  ASSERT_THAT(green, IsOk());
  EXPECT_EQ(red->labels[16 * 32 + 16], 1);
  EXPECT_EQ(green->labels[16 * 32 + 16], 0);
  EXPECT_GT(red->kinds[0].statistics.mean, 0);
}

TEST_F(SwagTest, WhatCannotBeDrawnIsOneClearError) {
  const TrainOptions options = Options(kTail);
  EXPECT_THAT(Sample(options, "out", 1),
              HasStatus(StatusCode::kInvalidArgument, "samples: must be in [2, 128], got 1"));
  EXPECT_THAT(Sample(options, "out", 129), HasStatus(StatusCode::kInvalidArgument, HasSubstr("got 129")));
  EXPECT_THAT(Sample(options, "out", 2, 0),
              HasStatus(StatusCode::kInvalidArgument, "scale: must be in (0, 10], got 0"));
  EXPECT_THAT(Sample(options, "out", 2, std::nan("")), HasStatus(StatusCode::kInvalidArgument, HasSubstr("scale: ")));
  EXPECT_THAT(Sample(options, "out"),
              HasStatus(StatusCode::kFailedPrecondition, AllOf(HasSubstr("run/members/0"), HasSubstr("not finished"))));
  Uninterrupted(Options("epochs: 2 snapshots: 2"), "run");
  EXPECT_THAT(Sample(options, "out"), HasStatus(StatusCode::kFailedPrecondition, HasSubstr("now it is")));
  EXPECT_THAT(Sample(Options("epochs: 2 snapshots: 2"), "out"),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("snapshots of schedule constant_tail")));
  EXPECT_FALSE(std::filesystem::exists(Run("out")));
}

TEST_F(SwagTest, FewerThanTwoSnapshotsAreRefusedAndAStopWritesNothing) {
  const TrainOptions options = Options("schedule: 'constant_tail' epochs: 4 tail_share: 0.5 snapshots: 2");
  Uninterrupted(options, "run");
  EXPECT_EQ(SampleSwag(options, Run("run"), {0, 2, 0.5, Run("out")}, StopAfter(2).stop_requested).value(),
            RunOutcome::kStopped);
  EXPECT_FALSE(std::filesystem::exists(Run("out")));
  EXPECT_THAT(Sample(options, "run/members/0/model"), HasStatus(StatusCode::kAlreadyExists, HasSubstr("is there")));
  std::filesystem::remove(ListSnapshots(MemberFolder(Run("run"), 0))[0]);
  EXPECT_THAT(Sample(options, "out"), HasStatus(StatusCode::kFailedPrecondition, HasSubstr("at least 2")));
}

}  // namespace
}  // namespace candor
