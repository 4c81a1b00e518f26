// SPDX-License-Identifier: Apache-2.0
//
// Deep sub-ensembles, on a data set on disk.
#include "core/model/bundle.h"
#include "core/segmenter/segmenter.h"
#include "tests/trainer/training/training_fixture.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::SizeIs;

class SharedEncoderTrainingTest : public TrainingFixture {
 protected:
  static TensorFile Weights(const std::string& model) { return ReadBundle(model)->members[0]; }
};

TEST_F(SharedEncoderTrainingTest, MembersDifferInAllButTheEncoderAndBecomeATeacher) {
  for (const char* more : {"store: 'fp16'", "store: 'fp32' ema_decay: 0.9"}) {
    const std::string run = std::string(more).substr(8, 4);
    const TrainOptions options = Options(absl::StrCat("shared_encoder: true members: 3 epochs: 2 ", more));
    for (const int index : {0, 1, 2}) {
      ASSERT_EQ(TrainMember(options, Run(run), index, ToTheEnd()).value(), RunOutcome::kDone);
    }
    const TensorFile first = Weights(MemberModel(Run(run), 0));
    const TensorFile second = Weights(MemberModel(Run(run), 1));
    for (size_t t = 0; t < first.tensors.size(); ++t) {
      const std::string& name = first.tensors[t].name;
      const bool is_counter = first.tensors[t].dtype == DType::kI64;
      const bool is_encoder = name.rfind("encoder.", 0) == 0;
      if (is_counter && !is_encoder) continue;  // both have seen as many batches
      EXPECT_EQ(first.tensors[t].data == second.tensors[t].data, is_encoder) << name;
    }
    ASSERT_THAT(WriteTeacher(options, Run(run), TeacherModel(Run(run))), IsOk());
    const auto teacher = ReadBundle(TeacherModel(Run(run)));
    ASSERT_THAT(teacher, IsOk());
    EXPECT_TRUE(teacher->spec.is_encoder_shared);
    ASSERT_THAT(teacher->members, SizeIs(3));
    const auto segmenter = LoadSegmenter(TeacherModel(Run(run)), {});
    ASSERT_THAT(segmenter, IsOk());
    ASSERT_EQ(Distill(options, Run(run), TeacherModel(Run(run)), StudentModel(Run(run)), ToTheEnd()).value(),
              RunOutcome::kDone);
  }
}

TEST_F(SharedEncoderTrainingTest, TheDecodersLearn) {
  const TrainOptions options = Options("shared_encoder: true epochs: 60 validate_every: 60");
  for (const int index : {0, 1}) {
    recorder_ = {};
    ASSERT_EQ(TrainMember(options, Run("run"), index, ToTheEnd()).value(), RunOutcome::kDone);
    // One label everywhere has at most 0.5 of two classes.
    EXPECT_GT(recorder_.validations[0].miou, 0.55) << index;
  }
}

TEST_F(SharedEncoderTrainingTest, AMemberThatWasStoppedEndsWithTheSameBits) {
  const TrainOptions options = Options("shared_encoder: true");
  for (const char* run : {"whole", "stopped"}) {
    ASSERT_EQ(TrainMember(options, Run(run), 0, ToTheEnd()).value(), RunOutcome::kDone);
  }
  ASSERT_EQ(TrainMember(options, Run("whole"), 1, ToTheEnd()).value(), RunOutcome::kDone);
  for (const int times : {1, 6}) {
    ASSERT_EQ(TrainMember(options, Run("stopped"), 1, StopAfter(times)).value(), RunOutcome::kStopped);
  }
  ASSERT_EQ(TrainMember(options, Run("stopped"), 1, ToTheEnd()).value(), RunOutcome::kDone);
  EXPECT_TRUE(WeightsOf(MemberModel(Run("stopped"), 1)) == WeightsOf(MemberModel(Run("whole"), 1)));
}

TEST_F(SharedEncoderTrainingTest, WithoutTheFirstMemberTheOthersWaitAndAnotherFirstIsAnotherRun) {
  const TrainOptions options = Options("shared_encoder: true");
  EXPECT_THAT(TrainMember(options, Run("run"), 1, ToTheEnd()),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("run: member 0 is not finished")));
  ASSERT_EQ(TrainMember(options, Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_EQ(TrainMember(options, Run("run"), 1, StopAfter(2)).value(), RunOutcome::kStopped);
  ASSERT_EQ(TrainMember(Options("shared_encoder: true seed: 9"), Run("other"), 0, ToTheEnd()).value(),
            RunOutcome::kDone);
  std::filesystem::remove_all(MemberFolder(Run("run"), 0));
  std::filesystem::rename(MemberFolder(Run("other"), 0), MemberFolder(Run("run"), 0));
  EXPECT_THAT(TrainMember(options, Run("run"), 1, ToTheEnd()),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("member_0_digest: ")));
}

TEST_F(SharedEncoderTrainingTest, MembersWithEncodersOfTheirOwnBecomeNoSubEnsemble) {
  const TrainOptions plain = Options("epochs: 1");
  for (const int index : {0, 1}) {
    ASSERT_EQ(TrainMember(plain, Run("run"), index, ToTheEnd()).value(), RunOutcome::kDone);
  }
  EXPECT_THAT(WriteTeacher(Options("epochs: 1 shared_encoder: true"), Run("run"), Run("teacher")),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("member 1: encoder.")));
  EXPECT_FALSE(std::filesystem::exists(Run("teacher")));
}

}  // namespace
}  // namespace candor
