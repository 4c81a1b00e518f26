// SPDX-License-Identifier: Apache-2.0
//
// From members to a teacher to its student, on a data set on disk.
#include "core/model/bundle.h"
#include "core/segmenter/segmenter.h"
#include "tests/trainer/training/training_fixture.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class DistillTest : public TrainingFixture {
 protected:
  absl::StatusOr<RunOutcome> DistillInto(const TrainOptions& options, const std::string& run,
                                         const RunControl& control) {
    return Distill(options, Run(run), TeacherModel(Run("run")), StudentModel(Run(run)), control);
  }
};

TEST_F(DistillTest, TheTeacherIsTheMembersTogether) {
  MakeTeacher();
  const auto teacher = ReadBundle(TeacherModel(Run("run")));
  ASSERT_THAT(teacher, IsOk());
  EXPECT_EQ(teacher->spec.kind, ModelKind::kEnsemble);
  ASSERT_THAT(teacher->members, SizeIs(2));
  for (const int index : {0, 1}) {
    EXPECT_EQ(Contents(absl::StrCat(TeacherModel(Run("run")), "/member_", index, ".safetensors")),
              WeightsOf(MemberModel(Run("run"), index)));
  }
}

TEST_F(DistillTest, MembersThatAreNotFinishedAreNumbered) {
  const TrainOptions options = Options("members: 3 epochs: 1");
  ASSERT_EQ(TrainMember(options, Run("run"), 1, ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_EQ(TrainMember(options, Run("run"), 2, StopAfter(1)).value(), RunOutcome::kStopped);
  EXPECT_THAT(WriteTeacher(options, Run("run"), Run("teacher")),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("members 0, 2 of 3")));
  EXPECT_FALSE(std::filesystem::exists(Run("teacher")));
}

TEST_F(DistillTest, AStudentIsTrainedAndServes) {
  MakeTeacher();
  ASSERT_EQ(DistillInto(Options(), "run", ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_THAT(recorder_.steps, SizeIs(kSteps));
  for (const StepRecord& record : recorder_.steps) {
    EXPECT_GT(record.uncertainty_loss, 0);
    EXPECT_NEAR(record.loss, record.segmentation_loss + record.uncertainty_loss, 1e-5);
  }
  EXPECT_EQ(recorder_.starts[0].name, "student");
  const auto student = ReadBundle(StudentModel(Run("run")));
  ASSERT_THAT(student, IsOk());
  EXPECT_EQ(student->spec.kind, ModelKind::kStudent);
  EXPECT_THAT(student->spec.learned, ElementsAre(UncertaintyKind::kPredictiveStddev));
  EXPECT_EQ(student->spec.default_kind(), UncertaintyKind::kPredictiveStddev);
  for (const std::string& model : {StudentModel(Run("run")), TeacherModel(Run("run"))}) {
    EXPECT_THAT(LoadSegmenter(model, {}), IsOk()) << model;
  }
}

TEST_F(DistillTest, AStudentThatWasStoppedEndsWithTheSameBits) {
  MakeTeacher();
  ASSERT_EQ(DistillInto(Options(), "whole", ToTheEnd()).value(), RunOutcome::kDone);
  for (const int times : {0, 3, 6, 22}) {
    const std::string run = absl::StrCat("stopped", times);
    ASSERT_EQ(DistillInto(Options(), run, StopAfter(times)).value(), RunOutcome::kStopped);
    ASSERT_EQ(DistillInto(Options(), run, ToTheEnd()).value(), RunOutcome::kDone);
    EXPECT_TRUE(WeightsOf(StudentModel(Run(run))) == WeightsOf(StudentModel(Run("whole")))) << times;
  }
}

TEST_F(DistillTest, AStudentOfTwoKindsHasBoth) {
  MakeTeacher();
  const TrainOptions options = Options("targets: 'predictive_stddev' targets: 'mutual_information' epochs: 1");
  ASSERT_EQ(DistillInto(options, "run", ToTheEnd()).value(), RunOutcome::kDone);
  const auto student = ReadBundle(StudentModel(Run("run")));
  ASSERT_THAT(student, IsOk());
  EXPECT_THAT(student->spec.learned,
              ElementsAre(UncertaintyKind::kPredictiveStddev, UncertaintyKind::kMutualInformation));
  EXPECT_THAT(LoadSegmenter(StudentModel(Run("run")), {}), IsOk());
}

// "The DE can be substituted by any other UQ method": here one network with dropout.
TEST_F(DistillTest, AnMcDropoutMemberTeaches) {
  const TrainOptions options = Options("dropout: 0.25 dropout_passes: 3 epochs: 1");
  ASSERT_EQ(TrainMember(options, Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  const std::string teacher = MemberModel(Run("run"), 0);
  ASSERT_EQ(Distill(options, Run("whole"), teacher, Run("student"), ToTheEnd()).value(), RunOutcome::kDone);
  for (const int times : {2, 5}) {
    const std::string run = Run(absl::StrCat("stopped", times));
    ASSERT_EQ(Distill(options, run, teacher, run + "/student", StopAfter(times)).value(), RunOutcome::kStopped);
    ASSERT_EQ(Distill(options, run, teacher, run + "/student", ToTheEnd()).value(), RunOutcome::kDone);
    EXPECT_TRUE(WeightsOf(run + "/student") == WeightsOf(Run("student"))) << times;
  }
}

TEST_F(DistillTest, AnotherTeacherIsAnotherRun) {
  MakeTeacher();
  ASSERT_EQ(DistillInto(Options(), "run", StopAfter(2)).value(), RunOutcome::kStopped);
  auto spec = OpenBundle(TeacherModel(Run("run")))->spec;
  spec.training = "another";
  ASSERT_THAT(UpdateBundleSpec(TeacherModel(Run("run")), spec), IsOk());
  EXPECT_THAT(DistillInto(Options(), "run", ToTheEnd()),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("teacher_digest: ")));
}

TEST_F(DistillTest, ATeacherOfOtherClassesIsRefused) {
  MakeTeacher();
  const std::string teacher = TeacherModel(Run("run"));
  WriteContents(data() + "/classes.json",
                R"({"classes": [{"name": "meadow", "colour": [0, 128, 0]}, {"name": "house", "colour": [0, 0, 9]}]})");
  EXPECT_THAT(
      DistillInto(Options(), "run", ToTheEnd()),
      HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr(teacher), HasSubstr("barn"), HasSubstr("house"))));
}

TEST_F(DistillTest, ATeacherOfAnotherNormalisationIsRefused) {
  MakeTeacher();
  EXPECT_THAT(DistillInto(Options("normalisation: 'imagenet'"), "run", ToTheEnd()),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("normalisation")));
}

TEST_F(DistillTest, ATargetThatTheTeacherLacksIsRefused) {
  MakeTeacher();
  EXPECT_THAT(Distill(Options(), Run("run"), MemberModel(Run("run"), 0), Run("student"), ToTheEnd()),
              HasStatus(StatusCode::kInvalidArgument,
                        AllOf(HasSubstr("targets: predictive_stddev"), HasSubstr("predictive_entropy"))));
}

TEST_F(DistillTest, AMissingTeacherIsNotFound) {
  EXPECT_THAT(Distill(Options(), Run("run"), Run("none"), Run("student"), ToTheEnd()),
              HasStatus(StatusCode::kNotFound, HasSubstr("none")));
}

TEST_F(DistillTest, AMissingEncoderIsNotFound) {
  MakeTeacher();
  EXPECT_THAT(DistillInto(Options("encoder_weights: '/no/such/encoder'"), "run", ToTheEnd()),
              HasStatus(StatusCode::kNotFound, HasSubstr("/no/such/encoder")));
}

}  // namespace
}  // namespace candor
