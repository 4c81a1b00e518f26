// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/observer_objective.h"

#include <cmath>

#include "core/nn/deeplab.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/small_net.h"

namespace candor {
namespace {

constexpr int64_t kSide = 32;

// Says that the disagreement is 0.75 in the left half of each picture and 0 in the right one.
class HalfTeacher : public Predictor {
 public:
  absl::StatusOr<std::vector<Segmentation>> PredictBatch(const torch::Tensor& images,
                                                         absl::Span<const PictureRequest> requests,
                                                         const MemberChecks&) override {
    std::vector<Segmentation> answers(static_cast<size_t>(images.size(0)));
    for (size_t n = 0; n < answers.size(); ++n) {
      for (size_t k = 0; k < requests[n].request.kinds.size(); ++k) {
        KindResult result;
        for (int64_t i = 0; i < kSide * kSide; ++i) result.map.push_back(i % kSide < kSide / 2 ? 0.75f : 0.0f);
        answers[n].kinds.push_back(std::move(result));
      }
    }
    return answers;
  }
  const std::vector<UncertaintyKind>& kinds() const override { return kinds_; }

 private:
  const std::vector<UncertaintyKind> kinds_ = {UncertaintyKind::kDisagreement};
};

SegmentationNet ObservedNet() {
  ModelSpec spec = SmallSpec(ModelKind::kStudent);
  spec.head = UncertaintyHead::kObserver;
  spec.learned = {UncertaintyKind::kDisagreement};
  torch::manual_seed(3);
  return MakeNetwork(spec);
}

TensorBatch PlainBatch() {
  torch::manual_seed(4);
  TensorBatch batch;
  batch.images = torch::rand({2, 3, kSide, kSide}).contiguous(torch::MemoryFormat::ChannelsLast);
  batch.labels = torch::full({2, kSide, kSide}, 255, torch::kUInt8);
  batch.padding = torch::zeros({2, kSide, kSide}, torch::kUInt8);
  batch.padding.slice(2, kSide / 2) = 1;  // the right half is no picture
  return batch;
}

UncertaintyLossOptions LossOptions(UncertaintyPixels pixels) {
  UncertaintyLossOptions options;
  options.targets = {UncertaintyKind::kDisagreement};
  options.weight = 2;
  options.pixels = pixels;
  return options;
}

absl::StatusOr<Losses> LossOf(SegmentationNet net, const UncertaintyLossOptions& options) {
  Teacher teacher = {std::make_unique<HalfTeacher>(), 10, 2};
  return MakeObserverObjective(std::move(net), TrainingPrecision::kFp32, std::move(teacher), options)
      ->Compute(PlainBatch());
}

// -(t ln q + (1 - t) ln(1 - q)), in double.
torch::Tensor CrossEntropies(SegmentationNet net) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor q =
      UpsampleBy4(net->Forward(PlainBatch().images).uncertainty).sigmoid().select(1, 0).to(torch::kFloat64);
  torch::Tensor t = torch::zeros_like(q);
  t.slice(2, 0, kSide / 2) = 0.75;
  return -(t * q.log() + (1 - t) * (1 - q).log());
}

TEST(ObserverObjectiveTest, IsTheCrossEntropyOfTheDisagreement) {
  const auto losses = LossOf(ObservedNet(), LossOptions(UncertaintyPixels::kAll));
  ASSERT_THAT(losses, IsOk());
  const double want = CrossEntropies(ObservedNet()).mean().item<double>();
  EXPECT_NEAR(losses->uncertainty.item<double>(), want, 1e-5);
  EXPECT_NEAR(losses->total.item<double>(), 2 * want, 1e-5);
  EXPECT_FALSE(losses->segmentation.defined()) << "no label is looked at";
}

TEST(ObserverObjectiveTest, PaddingCanBeLeftOut) {
  const auto losses = LossOf(ObservedNet(), LossOptions(UncertaintyPixels::kPicture));
  ASSERT_THAT(losses, IsOk());
  EXPECT_NEAR(losses->uncertainty.item<double>(),
              CrossEntropies(ObservedNet()).slice(2, 0, kSide / 2).mean().item<double>(), 1e-5);
}

}  // namespace
}  // namespace candor
