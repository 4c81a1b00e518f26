// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/teacher_samples.h"

#include <limits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/fixed_samples.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

class GivenMembers : public MemberSource {
 public:
  explicit GivenMembers(torch::Tensor scores) : scores_(std::move(scores)) {}
  int members() const override { return static_cast<int>(scores_.size(0)); }
  Scores Run(int index, const torch::Tensor& /*images*/) override {
    EXPECT_TRUE(c10::InferenceMode::is_enabled());
    return {scores_[index].clone(), {}};
  }

 private:
  const torch::Tensor scores_;
};

TEST(TeacherSamplesTest, AreTheMembersScoresIn16Bits) {
  const torch::Tensor scores = ThreeMembers();
  const auto samples = MakeMemberSamples(std::make_unique<GivenMembers>(scores))->Of(SmallBatch());
  ASSERT_THAT(samples, IsOk());
  EXPECT_EQ(samples->scalar_type(), torch::kFloat32);
  EXPECT_TRUE(samples->equal(scores.to(torch::kHalf).to(torch::kFloat32)));
  EXPECT_FALSE(samples->equal(scores));
}

TEST(TeacherSamplesTest, CanStandInALossWithAGradient) {
  const auto samples = MakeMemberSamples(std::make_unique<GivenMembers>(ThreeMembers()))->Of(SmallBatch());
  ASSERT_THAT(samples, IsOk());
  const torch::Tensor factor = torch::ones({}, torch::requires_grad());
  (factor * *samples).sum().backward();
  EXPECT_NEAR(factor.grad().item<double>(), samples->sum().item<double>(), 1e-3);
}

TEST(TeacherSamplesTest, AScoreThatIsNotFiniteIsAnErrorOfItsMember) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), 1e6f}) {
    torch::Tensor scores = ThreeMembers();
    scores[1][0][1][3][3] = bad;
    EXPECT_THAT(MakeMemberSamples(std::make_unique<GivenMembers>(scores))->Of(SmallBatch()),
                HasStatus(StatusCode::kInternal, HasSubstr("member 1")));
  }
}

TEST(TeacherSamplesTest, APlainModelIsTooFew) {
  Bundle bundle;
  bundle.directory = "models/plain";
  bundle.spec = SmallSpec(ModelKind::kSingle);
  EXPECT_THAT(LoadTeacherSamples(bundle, 2, torch::kCPU),
              HasStatus(StatusCode::kInvalidArgument,
                        AllOf(HasSubstr("models/plain"), HasSubstr("at least 2 predictions"), HasSubstr("makes 1"))));
}

TEST(TeacherSamplesTest, AStudentThatIsADistributionIsNoTeacher) {
  Bundle bundle;
  bundle.directory = "models/student";
  bundle.spec = SmallSpec(ModelKind::kStudent);
  bundle.spec.sampling.passes = 10;
  for (const auto& [method, name] : std::vector<std::pair<SamplingMethod, const char*>>{
           {SamplingMethod::kDirichlet, "dirichlet"}, {SamplingMethod::kLogitSamples, "logit_samples"}}) {
    bundle.spec.sampling.method = method;
    EXPECT_THAT(LoadTeacherSamples(bundle, 1, torch::kCPU),
                HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr("models/student"), HasSubstr(name))));
  }
}

}  // namespace
}  // namespace candor
