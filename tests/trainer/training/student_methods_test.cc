// SPDX-License-Identifier: Apache-2.0
//
// Every way to distil, from a teacher on disk to a model that is served.
#include <filesystem>
#include <string>
#include <vector>

#include "core/model/bundle.h"
#include "core/segmenter/segmenter.h"
#include "tests/trainer/training/training_fixture.h"

namespace candor {
namespace {

using testing::SizeIs;

struct Method {
  const char* config;
  ModelKind kind;
  bool has_labels = true;  // in its loss
  // Its distillation loss need not fall: labels lead away from a teacher of one epoch.
  bool may_rise = false;
};

class StudentMethodTest : public TrainingFixture, public testing::WithParamInterface<Method> {
 protected:
  absl::StatusOr<RunOutcome> DistillInto(const std::string& more, const std::string& run, const RunControl& control) {
    return Distill(Options(absl::StrCat(GetParam().config, " ", more)), Run(run), TeacherModel(Run("run")),
                   StudentModel(Run(run)), control);
  }
  std::string Weights(const std::string& run) const { return WeightsOf(StudentModel(Run(run))); }

  // What a served model says about a picture, every kind it has.
  Segmentation Served(const std::string& model) const {
    const auto segmenter = LoadSegmenter(model, {});
    EXPECT_THAT(segmenter, IsOk());
    std::vector<KindRequest> kinds;
    for (const UncertaintyKind kind : (*segmenter)->info().spec.uncertainty) kinds.push_back({kind, true, 0.1f});
    Image image = {40, 24, std::vector<uint8_t>(size_t{3} * 40 * 24)};
    for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i * 7);
    auto result = (*segmenter)->Segment(image, {kinds}, nullptr);
    EXPECT_THAT(result, IsOk());
    return *std::move(result);
  }
};

TEST_P(StudentMethodTest, LearnsAndServesEveryKindThatItNames) {
  MakeTeacher();
  ASSERT_EQ(DistillInto("epochs: 20", "run", ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_THAT(recorder_.steps, SizeIs(80));
  double segmentation = 0;  // what the last two epochs are better than the first
  double distillation = 0;
  for (int i = 0; i < 8; ++i) {
    segmentation += recorder_.steps[i].segmentation_loss - recorder_.steps[72 + i].segmentation_loss;
    distillation += recorder_.steps[i].uncertainty_loss - recorder_.steps[72 + i].uncertainty_loss;
  }
  if (GetParam().has_labels) {
    EXPECT_GT(segmentation, 0);
  }
  if (!GetParam().may_rise) {
    EXPECT_GT(distillation, 0);
  }
  const auto student = ReadBundle(StudentModel(Run("run")));
  ASSERT_THAT(student, IsOk());
  EXPECT_EQ(student->spec.kind, GetParam().kind);
  const Segmentation result = Served(StudentModel(Run("run")));
  const std::vector<UncertaintyKind> kinds = UncertaintyKindsOf(student->spec);
  ASSERT_EQ(result.kinds.size(), kinds.size());
  for (size_t k = 0; k < kinds.size(); ++k) {
    const KindStatistics& statistics = result.kinds[k].statistics;
    EXPECT_EQ(statistics.kind, kinds[k]);
    EXPECT_GE(statistics.mean, 0) << UncertaintyKindName(kinds[k]);
    EXPECT_LE(statistics.max, UncertaintyKindMax(kinds[k], 2) * 1.001) << UncertaintyKindName(kinds[k]);
  }
}

TEST_P(StudentMethodTest, StoppedEndsWithTheSameBits) {
  MakeTeacher();
  ASSERT_EQ(DistillInto("", "whole", ToTheEnd()).value(), RunOutcome::kDone);
  for (const int times : {3, 6}) {
    const std::string run = absl::StrCat("stopped", times);
    ASSERT_EQ(DistillInto("", run, StopAfter(times)).value(), RunOutcome::kStopped);
    ASSERT_EQ(DistillInto("", run, ToTheEnd()).value(), RunOutcome::kDone);
    EXPECT_TRUE(Weights(run) == Weights("whole")) << times;
  }
}

// Without a cache, filling one, and reading what another learning rate's student has left.
TEST_P(StudentMethodTest, TheTeacherCacheChangesNoBit) {
  MakeTeacher();
  const std::string cache = absl::StrCat("teacher_cache: '", Run("cache"), "'");
  ASSERT_EQ(DistillInto("", "plain", ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_EQ(DistillInto(cache + " learning_rate: 0.001", "other", ToTheEnd()).value(), RunOutcome::kDone);
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(Run("cache")))
    files += entry.is_regular_file();
  EXPECT_EQ(files, kSteps);
  ASSERT_EQ(DistillInto(cache, "cached", ToTheEnd()).value(), RunOutcome::kDone);
  EXPECT_TRUE(Weights("cached") == Weights("plain"));
  EXPECT_FALSE(Weights("other") == Weights("plain"));
  int now = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(Run("cache"))) now += entry.is_regular_file();
  EXPECT_EQ(now, files);
}

TEST_P(StudentMethodTest, OfAPlainModelOnlyItsKnowledgeCanBeLearned) {
  ASSERT_EQ(TrainMember(Options("epochs: 1"), Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  const std::string teacher = MemberModel(Run("run"), 0);
  const auto outcome =
      Distill(Options(absl::StrCat(GetParam().config, " epochs: 1")), Run("run"), teacher, Run("student"), ToTheEnd());
  if (GetParam().kind == ModelKind::kSingle) {
    EXPECT_EQ(outcome.value(), RunOutcome::kDone);
    return;
  }
  EXPECT_THAT(outcome, HasStatus(absl::StatusCode::kInvalidArgument,
                                 testing::AllOf(testing::HasSubstr(teacher), testing::HasSubstr("at least 2"))));
}

INSTANTIATE_TEST_SUITE_P(
    Methods, StudentMethodTest,
    testing::Values(Method{"student_method: 'knowledge'", ModelKind::kSingle, true, true},
                    Method{"student_method: 'dense_stddev'", ModelKind::kStudent},
                    // At one temperature, so that its losses can be compared.
                    Method{"student_method: 'dirichlet' temperature: 1", ModelKind::kStudent, false},
                    Method{"student_method: 'logit_gaussian'", ModelKind::kStudent},
                    Method{"student_method: 'logit_gaussian' rank: 2 passes: 4", ModelKind::kStudent}));

}  // namespace
}  // namespace candor
