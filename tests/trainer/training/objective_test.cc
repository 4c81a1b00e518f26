// SPDX-License-Identifier: Apache-2.0
//
// A student's loss against Torch's operators, with a teacher that says what the test tells it.
#include "trainer/training/objective.h"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <cmath>

#include "core/nn/deeplab.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/small_net.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr int64_t kSide = 32;
constexpr int64_t kPictures = 2;

// Answers with the maps it was given, picture by picture.
class FixedTeacher : public Predictor {
 public:
  FixedTeacher(torch::Tensor maps, std::vector<UncertaintyKind> kinds)  // [N, K, H, W]
      : maps_(std::move(maps)), kinds_(std::move(kinds)) {}

  absl::StatusOr<std::vector<Segmentation>> PredictBatch(const torch::Tensor& images,
                                                         absl::Span<const PictureRequest> requests,
                                                         const MemberChecks&) override {
    if (!error.ok()) return error;
    EXPECT_TRUE(c10::InferenceMode::is_enabled());
    seen = images;
    std::vector<Segmentation> answers(static_cast<size_t>(images.size(0)));
    for (int64_t n = 0; n < images.size(0); ++n) {
      const PictureRequest& picture = requests[static_cast<size_t>(n)];
      EXPECT_EQ(picture.size.height, images.size(2));
      EXPECT_EQ(picture.size.width, images.size(3));
      for (const KindRequest& wanted : picture.request.kinds) {
        EXPECT_TRUE(wanted.want_map);
        const auto found = std::find(kinds_.begin(), kinds_.end(), wanted.kind);
        const torch::Tensor map = maps_[n][found - kinds_.begin()].contiguous();
        KindResult result;
        result.map.assign(map.data_ptr<float>(), map.data_ptr<float>() + map.numel());
        answers[static_cast<size_t>(n)].kinds.push_back(std::move(result));
      }
    }
    return answers;
  }
  const std::vector<UncertaintyKind>& kinds() const override { return kinds_; }

  torch::Tensor seen;
  absl::Status error;

 private:
  const torch::Tensor maps_;
  const std::vector<UncertaintyKind> kinds_;
};

class ObjectiveTest : public testing::Test {
 protected:
  ObjectiveTest() {
    net_->eval();  // no dropout: the test runs the network once more
    torch::manual_seed(3);
    batch_.images = torch::rand({kPictures, 3, kSide, kSide}).contiguous(torch::MemoryFormat::ChannelsLast);
    batch_.labels = torch::randint(2, {kPictures, kSide, kSide}, torch::kInt64).to(torch::kUInt8);
    batch_.padding = torch::zeros({kPictures, kSide, kSide}, torch::kUInt8);
    // Void: the first 4 rows, and the last 8 columns of the second picture, which are padding.
    batch_.labels.slice(1, 0, 4).fill_(255);
    batch_.labels[1].slice(1, kSide - 8).fill_(255);
    batch_.padding[1].slice(1, kSide - 8).fill_(1);
    map_ = torch::rand({kPictures, 1, kSide, kSide}) * 0.7;
  }

  absl::StatusOr<Losses> Distil(const UncertaintyLossOptions& options) {
    auto predictor = std::make_unique<FixedTeacher>(map_, options.targets);
    predictor->error = teacher_error_;
    fixed_ = predictor.get();
    Teacher teacher;
    teacher.predictor = std::move(predictor);
    teacher.predictions = 10;
    teacher.classes = 2;
    objective_ =
        MakeDistillationObjective(net_, TrainingPrecision::kFp32, torch::Tensor(), std::move(teacher), options);
    return objective_->Compute(batch_);
  }

  double CrossEntropy(const torch::Tensor& weights = {}) {
    const torch::Tensor scores = UpsampleBy4(net_->Forward(batch_.images).logits);
    return at::cross_entropy_loss(scores, batch_.labels.to(torch::kInt64), weights, at::Reduction::Mean, 255)
        .item<double>();
  }

  // (ln(1 + q) - ln(1 + z))^2 [N, H, W], z = map * scale.
  torch::Tensor Squares(double scale = 1) {
    const torch::Tensor learned = torch::sigmoid(UpsampleBy4(net_->Forward(batch_.images).uncertainty)).select(1, 0);
    return ((1 + learned).log() - (1 + map_.select(1, 0) * scale).log()).square();
  }

  void ExpectUncertaintyLoss(const UncertaintyLossOptions& options, double expected) {
    const auto losses = Distil(options);
    ASSERT_THAT(losses, IsOk());
    EXPECT_NEAR(losses->uncertainty.item<double>(), expected, 1e-5 * expected);
    EXPECT_NEAR(losses->segmentation.item<double>(), CrossEntropy(), 1e-5);
    EXPECT_NEAR(losses->total.item<double>(), CrossEntropy() + options.weight * expected, 2e-5);
  }

  SegmentationNet net_ = SmallNet(ModelKind::kStudent);
  TensorBatch batch_;
  torch::Tensor map_;  // [N, K, H, W]
  absl::Status teacher_error_;
  FixedTeacher* fixed_ = nullptr;  // of the last Distil
  std::unique_ptr<Objective> objective_;
};

TEST_F(ObjectiveTest, AMembersLossIsCrossEntropyAlone) {
  const auto objective = MakeSegmentationObjective(net_, TrainingPrecision::kFp32, torch::Tensor());
  const auto losses = objective->Compute(batch_);
  ASSERT_THAT(losses, IsOk());
  EXPECT_NEAR(losses->total.item<double>(), CrossEntropy(), 1e-5);
  EXPECT_FALSE(losses->uncertainty.defined());
}

TEST_F(ObjectiveTest, ClassWeightsCount) {
  const torch::Tensor weights = torch::tensor({0.25f, 4.0f});
  const auto losses = MakeSegmentationObjective(net_, TrainingPrecision::kFp32, weights)->Compute(batch_);
  ASSERT_THAT(losses, IsOk());
  EXPECT_NEAR(losses->total.item<double>(), CrossEntropy(weights), 1e-5);
  EXPECT_GT(std::abs(CrossEntropy(weights) - CrossEntropy()), 1e-3);
}

TEST_F(ObjectiveTest, AStudentsLossIsTheSumOfBothOverAllPixels) {
  ExpectUncertaintyLoss({}, std::sqrt(Squares().mean().item<double>()));
}

TEST_F(ObjectiveTest, TheTeacherSeesTheStudentsCrop) {
  ASSERT_THAT(Distil({}), IsOk());
  EXPECT_TRUE(fixed_->seen.equal(batch_.images));
}

TEST_F(ObjectiveTest, OnlyThePictureCounts) {
  UncertaintyLossOptions options;
  options.pixels = UncertaintyPixels::kPicture;
  const torch::Tensor counted = batch_.padding.eq(0);
  ExpectUncertaintyLoss(options, std::sqrt(Squares().masked_select(counted).mean().item<double>()));
}

TEST_F(ObjectiveTest, OnlyLabelledPixelsCount) {
  UncertaintyLossOptions options;
  options.pixels = UncertaintyPixels::kLabelled;
  const torch::Tensor counted = batch_.labels.ne(255);
  ExpectUncertaintyLoss(options, std::sqrt(Squares().masked_select(counted).mean().item<double>()));
}

TEST_F(ObjectiveTest, OneRootAPicture) {
  map_[1].mul_(0.01);
  UncertaintyLossOptions options;
  options.root = UncertaintyRoot::kImage;
  ExpectUncertaintyLoss(options, Squares().mean({1, 2}).sqrt().mean().item<double>());
}

// sqrt((M - 1) / M) turns the sample's deviation into the population's.
TEST_F(ObjectiveTest, PopulationDeviationIsSmaller) {
  UncertaintyLossOptions options;
  options.population_stddev = true;
  ExpectUncertaintyLoss(options, std::sqrt(Squares(std::sqrt(0.9)).mean().item<double>()));
}

TEST_F(ObjectiveTest, TheWeightScalesTheUncertaintyLoss) {
  UncertaintyLossOptions options;
  options.weight = 2.5;
  ExpectUncertaintyLoss(options, std::sqrt(Squares().mean().item<double>()));
}

// The head says a share of the kind's range: ln 2 nats for the entropy of two classes. The population's deviation
// concerns deviations only.
TEST_F(ObjectiveTest, AnEntropyIsScaledByItsRange) {
  UncertaintyLossOptions options;
  options.targets = {UncertaintyKind::kPredictiveEntropy};
  options.population_stddev = true;
  ExpectUncertaintyLoss(options, std::sqrt(Squares(1 / std::log(2.0)).mean().item<double>()));
}

TEST_F(ObjectiveTest, EveryTargetHasItsChannelAndItsRange) {
  torch::manual_seed(1);
  net_ = MakeNetwork(SmallSpecOfTwoTargets());
  net_->eval();
  map_ = torch::rand({kPictures, 2, kSide, kSide}) * 0.6;
  UncertaintyLossOptions options;
  options.targets = {UncertaintyKind::kPredictiveStddev, UncertaintyKind::kPredictiveEntropy};
  options.weight = 0.5;
  const torch::Tensor learned = torch::sigmoid(UpsampleBy4(net_->Forward(batch_.images).uncertainty));
  double expected = 0;
  for (const int channel : {0, 1}) {
    const torch::Tensor wanted = map_.select(1, channel) / (channel == 0 ? 1 : std::log(2.0));
    const torch::Tensor squares = ((1 + learned.select(1, channel)).log() - (1 + wanted).log()).square();
    expected += std::sqrt(squares.mean().item<double>());
  }
  ExpectUncertaintyLoss(options, expected);
}

TEST_F(ObjectiveTest, DetachedTheUncertaintyLossReachesItsHeadOnly) {
  UncertaintyLossOptions options;
  options.detach_features = true;
  const auto losses = Distil(options);
  ASSERT_THAT(losses, IsOk());
  losses->uncertainty.backward();
  EXPECT_GT(net_->named_parameters()["uncertainty_head.0.weight"].grad().abs().max().item<double>(), 0);
  EXPECT_FALSE(net_->named_parameters()["encoder.conv1.weight"].grad().defined());
  EXPECT_FALSE(net_->named_parameters()["decoder.block2.0.0.weight"].grad().defined());
}

TEST_F(ObjectiveTest, TheGradientReachesBothHeadsAndTheEncoder) {
  const auto losses = Distil({});
  ASSERT_THAT(losses, IsOk());
  losses->total.backward();
  for (const char* name : {"encoder.conv1.weight", "segmentation_head.0.weight", "uncertainty_head.0.weight"}) {
    EXPECT_GT(net_->named_parameters()[name].grad().abs().max().item<double>(), 0) << name;
  }
}

TEST_F(ObjectiveTest, Bf16ComputesTheSameLossesRoughlyInFloat32) {
  for (const TrainingPrecision precision : {TrainingPrecision::kFp32, TrainingPrecision::kBf16}) {
    const auto losses = MakeSegmentationObjective(net_, precision, torch::Tensor())->Compute(batch_);
    ASSERT_THAT(losses, IsOk());
    EXPECT_EQ(losses->total.scalar_type(), torch::kFloat32);
    EXPECT_NEAR(losses->total.item<double>(), CrossEntropy(), 0.02);
    losses->total.backward();
    EXPECT_EQ(net_->named_parameters()["encoder.conv1.weight"].grad().scalar_type(), torch::kFloat32);
  }
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
}

TEST_F(ObjectiveTest, ATeachersErrorIsPassedOn) {
  teacher_error_ = absl::InternalError("teacher: no");
  EXPECT_THAT(Distil({}), HasStatus(StatusCode::kInternal, HasSubstr("teacher: no")));
}

}  // namespace
}  // namespace candor
