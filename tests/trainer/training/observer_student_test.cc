// SPDX-License-Identifier: Apache-2.0
//
// A learned observer from its teacher to its verdict, on a data set on disk.
#include <cmath>
#include <map>

#include "core/model/bundle.h"
#include "core/model/verdict.h"
#include "core/segmenter/segmenter.h"
#include "tests/trainer/training/training_fixture.h"
#include "trainer/evaluation/calibrate.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class ObserverStudentTest : public TrainingFixture {
 protected:
  TrainOptions ObserverOptions(const std::string& more = "") const {
    return Options(absl::StrCat("student_method: 'observer' dropout: 0.3 dropout_passes: 4 ", more));
  }

  std::string Teacher() const { return MemberModel(Run("run"), 0); }

  void TrainTeacher() {
    ASSERT_EQ(TrainMember(ObserverOptions("epochs: 2"), Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
    recorder_ = {};
  }

  absl::StatusOr<RunOutcome> Observe(const TrainOptions& options, const std::string& run, const RunControl& control) {
    return Distill(options, Run(run), Teacher(), StudentModel(Run(run)), control);
  }
};

TEST_F(ObserverStudentTest, LearnsBesideAFrozenNetwork) {
  TrainTeacher();
  ASSERT_EQ(Observe(ObserverOptions("epochs: 10"), "run", ToTheEnd()).value(), RunOutcome::kDone);
  const size_t steps = recorder_.steps.size();
  double first = 0;
  double last = 0;
  for (size_t i = 0; i < 4; ++i) {
    first += recorder_.steps[i].uncertainty_loss;
    last += recorder_.steps[steps - 1 - i].uncertainty_loss;
  }
  EXPECT_LT(last, 0.9 * first);
  EXPECT_EQ(recorder_.steps[0].segmentation_loss, 0);

  const auto teacher = ReadBundle(Teacher());
  const auto student = ReadBundle(StudentModel(Run("run")));
  ASSERT_THAT(student, IsOk());
  EXPECT_EQ(student->spec.kind, ModelKind::kStudent);
  EXPECT_EQ(student->spec.head, UncertaintyHead::kObserver);
  EXPECT_THAT(student->spec.learned, ElementsAre(UncertaintyKind::kDisagreement));
  std::map<std::string, std::string> theirs;
  for (const NamedTensor& tensor : teacher->members[0].tensors) theirs[tensor.name] = tensor.data;
  size_t shared = 0;
  for (const NamedTensor& tensor : student->members[0].tensors) {
    if (theirs.count(tensor.name) == 0) continue;
    ++shared;
    EXPECT_TRUE(theirs[tensor.name] == tensor.data) << tensor.name;
  }
  EXPECT_EQ(shared, theirs.size());
}

TEST_F(ObserverStudentTest, ThatWasStoppedEndsWithTheSameBits) {
  TrainTeacher();
  ASSERT_EQ(Observe(ObserverOptions(), "whole", ToTheEnd()).value(), RunOutcome::kDone);
  for (const int times : {0, 6}) {
    const std::string run = absl::StrCat("stopped", times);
    ASSERT_EQ(Observe(ObserverOptions(), run, StopAfter(times)).value(), RunOutcome::kStopped);
    ASSERT_EQ(Observe(ObserverOptions(), run, ToTheEnd()).value(), RunOutcome::kDone);
    EXPECT_TRUE(WeightsOf(StudentModel(Run(run))) == WeightsOf(StudentModel(Run("whole")))) << times;
  }
}

// "Triggers the fallback at a target accuracy": thresholds on the picture's mean of what the observer says.
TEST_F(ObserverStudentTest, CalibrationGivesAVerdictByItsKind) {
  TrainTeacher();
  ASSERT_EQ(Observe(ObserverOptions(), "run", ToTheEnd()).value(), RunOutcome::kDone);
  const std::string student = StudentModel(Run("run"));
  const auto load = [&](float temperature) {
    LoadOptions options;
    options.temperature = temperature;
    return LoadSegmenter(student, options);
  };
  const auto val = OpenDataset("folder:" + data(), "val");
  CalibrateOptions options;
  options.data = "tiny val";
  // Half of the pixels may be wrong among the accepted, nearly all among those not rejected.
  options.error_rate = 0.5;
  options.reject_error_rate = 0.99;
  ASSERT_THAT(CalibrateBundle(student, load, **val, options, {}), IsOk());
  const auto segmenter = load(0);
  ASSERT_THAT(segmenter, IsOk());
  const ModelSpec& spec = (*segmenter)->info().spec;
  ASSERT_TRUE(spec.calibration.has_value() && spec.calibration->verdict.has_value());
  const Calibration::Verdict& verdict = *spec.calibration->verdict;
  EXPECT_EQ(verdict.kind, UncertaintyKind::kDisagreement);
  double wrong = 0;
  double labelled = 0;
  for (int i = 0; i < (*val)->size(); ++i) {
    const LabelledPicture picture = *(*val)->Read(i);
    const std::vector<KindRequest> kinds = {{verdict.kind}};
    const auto answer = (*segmenter)->Segment(picture.image, {kinds}, nullptr);
    ASSERT_THAT(answer, IsOk());
    if (JudgePicture(verdict, answer->kinds[0].statistics.mean) != PictureVerdict::kAccept) continue;
    for (size_t p = 0; p < answer->labels.size(); ++p) {
      labelled += picture.labels.values[p] != kIgnoreLabel;
      wrong += picture.labels.values[p] != kIgnoreLabel && picture.labels.values[p] != answer->labels[p];
    }
  }
  EXPECT_GT(labelled, 0);
  EXPECT_LE(wrong, 0.5 * labelled);
}

TEST_F(ObserverStudentTest, OnlyANetworkWithDropoutCanBeObserved) {
  ASSERT_EQ(TrainMember(Options("epochs: 1"), Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  EXPECT_THAT(Observe(ObserverOptions(), "run", ToTheEnd()),
              HasStatus(StatusCode::kInvalidArgument,
                        AllOf(HasSubstr(Teacher()), HasSubstr("student_method observer must be of kind single with "
                                                              "sampling mc_dropout, is single with none"))));
}

TEST_F(ObserverStudentTest, TheWidthIsTheTeachers) {
  TrainTeacher();
  EXPECT_THAT(
      Observe(ObserverOptions("width: 8"), "run", ToTheEnd()),
      HasStatus(StatusCode::kInvalidArgument, "width: must be the teacher's (4) for student_method observer, is 8"));
}

}  // namespace
}  // namespace candor
