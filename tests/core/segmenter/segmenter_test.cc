// SPDX-License-Identifier: Apache-2.0
//
// The segmenter through its public header, on small networks made here.
#include "core/segmenter/segmenter.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/bundle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/segmenter/small_bundle.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

Image Gradient(int width, int height) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height * 3; ++i) image.pixels.push_back(static_cast<uint8_t>(i * 7 % 256));
  return image;
}

KindRequest Map(UncertaintyKind kind) { return {kind, true, 0.1f}; }

class SegmenterTest : public testing::Test {
 protected:
  SegmenterTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = absl::StrCat(testing::TempDir(), "segmenter_", test->name());
    std::filesystem::remove_all(folder_);
  }
  ~SegmenterTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Segmenter> Load(ModelKind kind, int members) {
    WriteSmallBundle(folder_, kind, members);
    auto segmenter = LoadSegmenter(folder_, {});
    EXPECT_THAT(segmenter, IsOk());
    return *std::move(segmenter);
  }

  std::string folder_;
};

TEST_F(SegmenterTest, AnswersAtThePicturesOwnSize) {
  const auto segmenter = Load(ModelKind::kStudent, 1);
  const int sizes[][2] = {{1, 1}, {16, 16}, {17, 31}, {100, 3}, {33, 70}, {17, 31}};
  for (const auto& [width, height] : sizes) {
    const auto result =
        segmenter->Segment(Gradient(width, height), {{Map(UncertaintyKind::kPredictiveStddev)}}, nullptr);
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(result->width, width);
    EXPECT_EQ(result->height, height);
    EXPECT_EQ(result->labels.size(), static_cast<size_t>(width) * height);
    EXPECT_EQ(result->kinds[0].map.size(), static_cast<size_t>(width) * height);
    for (const float u : result->kinds[0].map) ASSERT_TRUE(u > 0 && u < 1) << u;
  }
}

TEST_F(SegmenterTest, DescribesItself) {
  const auto segmenter = Load(ModelKind::kEnsemble, 2);
  const ModelInfo& info = segmenter->info();
  EXPECT_EQ(info.name, std::filesystem::path(folder_).filename());
  EXPECT_EQ(info.version, 1);
  EXPECT_EQ(info.digest.size(), 64);
  EXPECT_EQ(info.device, "cpu");
  EXPECT_EQ(info.spec.class_count(), kSmallClasses);
  EXPECT_EQ(info.parameters % 2, 0);
  EXPECT_GT(info.parameters, 0);
}

TEST_F(SegmenterTest, EnsembleGivesEveryKindWithinItsRange) {
  const auto segmenter = Load(ModelKind::kEnsemble, 3);
  std::vector<KindRequest> kinds;
  for (const UncertaintyKind kind : kMemberUncertaintyKinds) kinds.push_back(Map(kind));
  const auto result = segmenter->Segment(Gradient(40, 24), {kinds}, nullptr);
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->kinds.size(), kinds.size());
  for (size_t k = 0; k < kinds.size(); ++k) {
    const KindStatistics& figures = result->kinds[k].statistics;
    EXPECT_EQ(figures.kind, kinds[k].kind);
    EXPECT_GE(figures.mean, 0);
    EXPECT_LE(figures.max, UncertaintyKindMax(kinds[k].kind, kSmallClasses));
    EXPECT_LE(figures.median, figures.p90);
    EXPECT_LE(figures.p90, figures.p99);
    EXPECT_LE(figures.p99, figures.max);
  }
}

TEST_F(SegmenterTest, RefusesAKindTheModelLacksAndNamesThoseItHas) {
  const auto segmenter = Load(ModelKind::kStudent, 1);
  EXPECT_THAT(segmenter->Segment(Gradient(16, 16), {{Map(UncertaintyKind::kMutualInformation)}}, nullptr),
              HasStatus(StatusCode::kFailedPrecondition,
                        "uncertainty kind mutual_information: the model gives predictive_stddev, predictive_entropy, "
                        "max_probability, margin"));
}

TEST_F(SegmenterTest, RefusesAKindAskedForTwiceAndAnEmptyPicture) {
  const auto segmenter = Load(ModelKind::kSingle, 1);
  const KindRequest kind = Map(UncertaintyKind::kMargin);
  EXPECT_THAT(segmenter->Segment(Gradient(16, 16), {{kind, kind}}, nullptr),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("twice")));
  EXPECT_EQ(segmenter->Segment(Image{}, {{kind}}, nullptr).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(SegmenterTest, StopsWhenCancelled) {
  const auto segmenter = Load(ModelKind::kEnsemble, 2);
  int asked = 0;
  const auto result = segmenter->Segment(Gradient(16, 16), {}, [&] { return ++asked == 2; });
  EXPECT_EQ(result.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(asked, 2);
}

TEST_F(SegmenterTest, ABatchHasTheAnswersOfItsPictures) {
  WriteSmallBundle(folder_, ModelKind::kEnsemble, 2);
  const auto segmenter = LoadSegmenter(folder_, {});
  ASSERT_THAT(segmenter, IsOk());
  const Picture wide(Gradient(40, 24));
  const Picture narrow(Gradient(33, 17));  // of the same padded size, 48x32
  const std::vector<KindRequest> stddev = {Map(UncertaintyKind::kPredictiveStddev)};
  const std::vector<KindRequest> entropy = {Map(UncertaintyKind::kPredictiveEntropy)};
  const SegmentItem items[] = {{&wide, {stddev, false, Region{8, 4, 20, 11}}}, {&narrow, {entropy}}};
  const auto batch = (*segmenter)->SegmentBatch(items, {});
  ASSERT_THAT(batch, IsOk());
  for (int n = 0; n < 2; ++n) {
    const auto alone = (*segmenter)->Segment(items[n].picture->ToImage(), items[n].request, nullptr);
    ASSERT_THAT(alone, IsOk());
    EXPECT_EQ((*batch)[n].labels, alone->labels);
    ASSERT_EQ((*batch)[n].kinds[0].map.size(), alone->kinds[0].map.size());
    for (size_t i = 0; i < alone->kinds[0].map.size(); ++i) {
      ASSERT_NEAR((*batch)[n].kinds[0].map[i], alone->kinds[0].map[i], 1e-5);
    }
  }
  EXPECT_EQ((*batch)[0].labels.size(), 20 * 11);
  auto started = (*segmenter)->StartBatch(items, {});
  ASSERT_THAT(started, IsOk());
  EXPECT_TRUE(started->are_ready()) << "on the CPU";
  EXPECT_EQ((*(*std::move(started)).Take())[1].labels, (*batch)[1].labels);
}

TEST_F(SegmenterTest, RefusesABatchOfSeveralSizesAndARegionOutside) {
  WriteSmallBundle(folder_, ModelKind::kSingle, 1);
  const auto segmenter = LoadSegmenter(folder_, {});
  ASSERT_THAT(segmenter, IsOk());
  const Image small = Gradient(16, 16);
  const Picture pictures[] = {Picture(Gradient(40, 24)), Picture(small)};
  const SegmentItem items[] = {{&pictures[0], {}}, {&pictures[1], {}}};
  EXPECT_THAT((*segmenter)->SegmentBatch(items, {}),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("got 16x16 beside 40x24")));
  for (const Region& region : {Region{0, 0, 17, 1}, Region{-1, 0, 2, 2}, Region{0, 0, 0, 4},
                               Region{15, 0, std::numeric_limits<int>::max(), 1}}) {
    EXPECT_THAT((*segmenter)->Segment(small, {{}, false, region}, nullptr),
                HasStatus(StatusCode::kInvalidArgument, HasSubstr("region: must be inside the picture of 16x16")));
  }
}

TEST_F(SegmenterTest, RefusesABundleThatDoesNotReproduceItsKnownAnswer) {
  WriteSmallBundle(folder_, ModelKind::kSingle, 1, [](ModelSpec& spec) {
    for (uint8_t& label : spec.known_answer.labels) label = (label + 1) % kSmallClasses;
  });
  EXPECT_THAT(LoadSegmenter(folder_, {}), HasStatus(StatusCode::kDataLoss, HasSubstr("known answer: 0.00 %")));
}

TEST_F(SegmenterTest, RefusesWeightsThatDoNotFitTheirSpec) {
  WriteSmallBundle(folder_, ModelKind::kSingle, 1, [](ModelSpec& spec) { spec.width = 12; });
  EXPECT_THAT(LoadSegmenter(folder_, {}),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("member 0: encoder.conv1.weight: has shape")));
}

TEST_F(SegmenterTest, OnlyTheMembersAskedForAnswer) {
  WriteSmallBundle(folder_, ModelKind::kEnsemble, 3);
  LoadOptions options;
  options.members = {1};
  auto one = LoadSegmenter(folder_, options);
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ((*one)->info().spec.kind, ModelKind::kSingle);
  EXPECT_EQ((*one)->info().spec.default_kind(), UncertaintyKind::kPredictiveEntropy);
  options.members = {0, 2};
  auto two = LoadSegmenter(folder_, options);
  ASSERT_THAT(two, IsOk());
  EXPECT_EQ(PredictionCount((*two)->info().spec), 2);
  // The mean of two members' probabilities, each asked alone.
  std::vector<float> mean;
  PredictRequest request;
  request.want_probabilities = true;
  for (const int member : options.members) {
    LoadOptions alone;
    alone.members = {member};
    const auto answer = (*LoadSegmenter(folder_, alone))->Segment(Gradient(16, 16), request, nullptr);
    ASSERT_THAT(answer, IsOk());
    mean.resize(answer->probabilities.size());
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += answer->probabilities[i] / 2;
  }
  const auto both = (*two)->Segment(Gradient(16, 16), request, nullptr);
  ASSERT_THAT(both, IsOk());
  EXPECT_THAT(both->probabilities, testing::Pointwise(testing::FloatNear(1e-3f), mean)) << "scores are kept in 16 bits";
}

TEST_F(SegmenterTest, AMemberThatIsNotThereIsRefused) {
  WriteSmallBundle(folder_, ModelKind::kEnsemble, 2);
  LoadOptions options;
  options.members = {0, 2};
  EXPECT_THAT(LoadSegmenter(folder_, options),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("member 2: must be in [0, 1]")));
}

class PartialEnsembleTest : public SegmenterTest {
 protected:
  PartialEnsembleTest() {
    WriteSmallBundle(folder_, ModelKind::kEnsemble, 3);
    options_.allow_partial_ensemble = true;
  }
  void Remove(int member) {
    EXPECT_TRUE(std::filesystem::remove(absl::StrCat(folder_, "/member_", member, ".safetensors")));
  }

  LoadOptions options_;
};

TEST_F(PartialEnsembleTest, AWholeEnsembleIsComparedWithItsKnownAnswerAsEver) {
  const auto segmenter = LoadSegmenter(folder_, options_);
  ASSERT_THAT(segmenter, IsOk());
  EXPECT_THAT((*segmenter)->info().damaged_members, testing::IsEmpty());
  WriteSmallBundle(absl::StrCat(folder_, "/wrong"), ModelKind::kEnsemble, 3, [](ModelSpec& spec) {
    for (uint8_t& label : spec.known_answer.labels) label = (label + 1) % kSmallClasses;
  });
  EXPECT_THAT(LoadSegmenter(absl::StrCat(folder_, "/wrong"), options_),
              HasStatus(StatusCode::kDataLoss, HasSubstr("known answer: 0.00 %")));
}

TEST_F(PartialEnsembleTest, WithoutADamagedMemberItIsTheEnsembleOfTheOthers) {
  LoadOptions others;
  others.members = {0, 2};
  const auto expected = LoadSegmenter(folder_, others);
  ASSERT_THAT(expected, IsOk());
  Remove(1);
  const auto segmenter = LoadSegmenter(folder_, options_);
  ASSERT_THAT(segmenter, IsOk());
  const ModelInfo& info = (*segmenter)->info();
  EXPECT_EQ(info.spec.kind, ModelKind::kEnsemble);
  EXPECT_EQ(info.spec.weights.size(), 2U);
  EXPECT_THAT(info.damaged_members, testing::ElementsAre("member_1.safetensors"));
  EXPECT_EQ(info.parameters, (*expected)->info().parameters);
  const std::vector<KindRequest> kinds = {Map(UncertaintyKind::kPredictiveEntropy)};
  const auto answer = (*segmenter)->Segment(Gradient(16, 16), {kinds}, nullptr);
  const auto wanted = (*expected)->Segment(Gradient(16, 16), {kinds}, nullptr);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->labels, wanted->labels);
  EXPECT_EQ(answer->kinds[0].map, wanted->kinds[0].map);
}

TEST_F(PartialEnsembleTest, ItIsRefusedUnlessAllowedAndWithFewerThanTwoMembers) {
  Remove(1);
  const auto missing = HasStatus(StatusCode::kDataLoss, HasSubstr("member_1.safetensors: missing"));
  EXPECT_THAT(LoadSegmenter(folder_, {}), missing);
  Remove(2);
  EXPECT_THAT(LoadSegmenter(folder_, options_), missing);
}

TEST_F(SegmenterTest, ATemperatureFlattensProbabilitiesAndKeepsLabels) {
  WriteSmallBundle(folder_, ModelKind::kSingle, 1);
  PredictRequest request;
  request.want_probabilities = true;
  const auto plain = (*LoadSegmenter(folder_, {}))->Segment(Gradient(16, 16), request, nullptr);
  LoadOptions options;
  options.temperature = 2;
  const auto warm = (*LoadSegmenter(folder_, options))->Segment(Gradient(16, 16), request, nullptr);
  ASSERT_THAT(plain, IsOk());
  ASSERT_THAT(warm, IsOk());
  EXPECT_EQ(plain->labels, warm->labels);
  // softmax(z / 2) is the normalised square root of softmax(z).
  const size_t pixels = plain->labels.size();
  for (size_t i = 0; i < pixels; ++i) {
    float sum = 0;
    for (int c = 0; c < kSmallClasses; ++c) sum += std::sqrt(plain->probabilities[c * pixels + i]);
    EXPECT_NEAR(warm->probabilities[i], std::sqrt(plain->probabilities[i]) / sum, 1e-4) << i;
  }
}

TEST(DeviceTest, ParsesItsNames) {
  EXPECT_EQ(*ParseDevice("auto"), Device::kAuto);
  EXPECT_EQ(*ParseDevice("cuda"), Device::kCuda);
  EXPECT_THAT(ParseDevice("gpu"),
              HasStatus(StatusCode::kInvalidArgument, "device: must be auto, cpu or cuda, got 'gpu'"));
}

TEST(DeviceTest, CpuIsAlwaysThere) { EXPECT_EQ(*PrepareDevice(Device::kCpu), Device::kCpu); }

TEST(DeviceTest, CudaWithoutADeviceIsOneClearError) {
  const auto device = PrepareDevice(Device::kCuda);
  if (device.ok()) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(device, HasStatus(StatusCode::kFailedPrecondition,
                                testing::AllOf(testing::StartsWith("device cuda: "), testing::Not(HasSubstr("\n")))));
  EXPECT_EQ(*PrepareDevice(Device::kAuto), Device::kCpu);
}

}  // namespace
}  // namespace candor
