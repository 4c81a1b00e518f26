// SPDX-License-Identifier: Apache-2.0
//
// Members that are models of several predictions: from their training to a student, on a data set on disk.
#include "trainer/training/member_method.h"

#include <vector>

#include "core/model/bundle.h"
#include "core/segmenter/segmenter.h"
#include "tests/trainer/training/training_fixture.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

struct Method {
  const char* options;
  SamplingMethod sampling;
};

class MemberMethodTest : public TrainingFixture, public testing::WithParamInterface<Method> {
 protected:
  TrainOptions Chosen(const std::string& more = "") const {
    return Options(absl::StrCat(GetParam().options, " passes: 2 ", more));
  }
  std::string Model(const std::string& run) const { return MemberModel(Run(run), 0); }

  // Mean loss of the recorded steps from `first` on, `count` of them.
  double MeanLoss(size_t first, size_t count) const {
    double sum = 0;
    for (size_t i = first; i < first + count; ++i) sum += recorder_.steps[i].segmentation_loss;
    return sum / static_cast<double>(count);
  }
};

INSTANTIATE_TEST_SUITE_P(Methods, MemberMethodTest,
                         testing::Values(Method{"member_method: 'bayes'", SamplingMethod::kWeightSamples},
                                         Method{"member_method: 'bayes' bayes_decoder_only: true prior_mix: 1",
                                                SamplingMethod::kWeightSamples},
                                         Method{"member_method: 'batch_ensemble'", SamplingMethod::kRankOne}));

TEST_P(MemberMethodTest, LearnsAndServesTheKindsOfAnEnsemble) {
  const TrainOptions options =
      Chosen("batch_size: 4 epochs: 30 min_scale: 1 max_scale: 1 validation_split: 'none' store: 'fp16'");
  ASSERT_EQ(TrainMember(options, Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_THAT(recorder_.steps, SizeIs(60));
  EXPECT_LT(MeanLoss(56, 4), 0.75 * MeanLoss(0, 4));

  const auto segmenter = LoadSegmenter(Model("run"), {});
  ASSERT_THAT(segmenter, IsOk());
  const ModelSpec& spec = (*segmenter)->info().spec;
  EXPECT_EQ(spec.sampling.method, GetParam().sampling);
  EXPECT_EQ(spec.sampling.passes, 2);
  Image picture{40, 24, {}};
  for (int i = 0; i < 40 * 24 * 3; ++i) picture.pixels.push_back(static_cast<uint8_t>(i * 7 % 256));
  std::vector<KindRequest> kinds;
  for (const UncertaintyKind kind : kMemberUncertaintyKinds) kinds.push_back({kind, true});
  const auto answer = (*segmenter)->Segment(picture, {kinds}, nullptr);
  ASSERT_THAT(answer, IsOk());
  ASSERT_EQ(answer->kinds[0].statistics.kind, UncertaintyKind::kPredictiveStddev);
  EXPECT_GT(answer->kinds[0].statistics.max, 0) << "members that say the same";
  EXPECT_EQ((*segmenter)->Segment(picture, {kinds}, nullptr)->kinds[0].map, answer->kinds[0].map);
}

TEST_P(MemberMethodTest, StoppedItEndsWithTheSameBits) {
  const std::string whole = Uninterrupted(Chosen("ema_decay: 0.5"), "whole");
  for (const int times : {1, 6}) {
    const std::string run = absl::StrCat("stopped", times);
    ASSERT_EQ(TrainMember(Chosen("ema_decay: 0.5"), Run(run), 0, StopAfter(times)).value(), RunOutcome::kStopped);
    EXPECT_TRUE(Uninterrupted(Chosen("ema_decay: 0.5"), run) == whole) << times;
  }
}

TEST_P(MemberMethodTest, Teaches) {
  const TrainOptions options = Chosen("epochs: 1");
  ASSERT_EQ(TrainMember(options, Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  recorder_ = {};
  ASSERT_EQ(Distill(options, Run("run"), Model("run"), Run("student"), ToTheEnd()).value(), RunOutcome::kDone);
  ASSERT_THAT(recorder_.steps, SizeIs(4));
  EXPECT_GT(recorder_.steps[0].uncertainty_loss, 0);
  const auto student = LoadSegmenter(Run("student"), {});
  ASSERT_THAT(student, IsOk());
  EXPECT_EQ((*student)->info().spec.kind, ModelKind::kStudent);
  EXPECT_EQ((*student)->info().spec.sampling.method, SamplingMethod::kNone);
}

TEST_P(MemberMethodTest, MakesNoEnsemble) {
  EXPECT_THAT(WriteTeacher(Chosen(), Run("run"), Run("teacher")),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("member_method: must be plain for an ensemble")));
  EXPECT_FALSE(std::filesystem::exists(Run("teacher")));
}

TEST_P(MemberMethodTest, ABundleThatSaysItIsAPlainModelIsRefused) {
  ASSERT_EQ(TrainMember(Chosen("epochs: 1"), Run("run"), 0, ToTheEnd()).value(), RunOutcome::kDone);
  auto spec = OpenBundle(Model("run"))->spec;
  spec.sampling = {};
  spec.uncertainty = UncertaintyKindsOf(spec);
  ASSERT_THAT(UpdateBundleSpec(Model("run"), spec), IsOk());
  EXPECT_THAT(LoadSegmenter(Model("run"), {}),
              HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr("member 0: "), HasSubstr("not a tensor of"))));
}

}  // namespace
}  // namespace candor
