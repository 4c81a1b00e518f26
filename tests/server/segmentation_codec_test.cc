// SPDX-License-Identifier: Apache-2.0
#include "server/segmentation_codec.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr float kShare = 0.25F;

// A request with a picture; what the picture is does not matter to the plan.
v1::SegmentRequest Request() {
  v1::SegmentRequest request;
  request.mutable_image()->set_encoded("picture");
  return request;
}

v1::UncertaintyRequest* Ask(v1::SegmentRequest* request, v1::UncertaintyKind kind, v1::MapEncoding encoding) {
  v1::UncertaintyRequest* uncertainty = request->add_uncertainty();
  uncertainty->set_kind(kind);
  uncertainty->set_encoding(encoding);
  return uncertainty;
}

class PlanSegmentTest : public testing::Test {
 protected:
  absl::StatusOr<SegmentPlan> Plan(const v1::SegmentRequest& request) { return PlanSegment(request, student_, kShare); }

  const ModelInfo student_ = FakeModelInfo("street", ModelKind::kStudent, 4);
};

TEST_F(PlanSegmentTest, AnEmptyListMeansStatisticsOfTheDefaultKind) {
  const absl::StatusOr<SegmentPlan> plan = Plan(Request());
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->kinds.size(), 1u);
  EXPECT_EQ(plan->kinds[0].kind, UncertaintyKind::kPredictiveStddev);
  EXPECT_FALSE(plan->kinds[0].want_map);
  EXPECT_FLOAT_EQ(plan->kinds[0].threshold, 0.25F);
  EXPECT_TRUE(plan->has_server_threshold);
  EXPECT_TRUE(plan->maps.empty());
}

TEST_F(PlanSegmentTest, TheDefaultKindComesFirstAndMapsKeepTheCallersOrder) {
  v1::SegmentRequest request = Request();
  Ask(&request, v1::MARGIN, v1::MAP_U8);
  Ask(&request, v1::PREDICTIVE_ENTROPY, v1::MAP_ENCODING_UNSPECIFIED);
  Ask(&request, v1::UNCERTAINTY_KIND_UNSPECIFIED, v1::MAP_F16);
  const absl::StatusOr<SegmentPlan> plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->kinds.size(), 3u);
  EXPECT_EQ(plan->kinds[0].kind, UncertaintyKind::kPredictiveStddev);
  EXPECT_TRUE(plan->kinds[0].want_map);
  EXPECT_EQ(plan->kinds[1].kind, UncertaintyKind::kMargin);
  EXPECT_TRUE(plan->kinds[1].want_map);
  EXPECT_EQ(plan->kinds[2].kind, UncertaintyKind::kPredictiveEntropy);
  EXPECT_FALSE(plan->kinds[2].want_map);
  ASSERT_EQ(plan->maps.size(), 2u);
  EXPECT_EQ(plan->maps[0].kind_index, 1u);
  EXPECT_EQ(plan->maps[0].encoding, v1::MAP_U8);
  EXPECT_EQ(plan->maps[1].kind_index, 0u);
  EXPECT_EQ(plan->maps[1].encoding, v1::MAP_F16);
}

TEST_F(PlanSegmentTest, TheServersThresholdIsAShareOfEachKindsUpperBound) {
  v1::SegmentRequest request = Request();
  Ask(&request, v1::PREDICTIVE_ENTROPY, v1::MAP_ENCODING_UNSPECIFIED);
  const absl::StatusOr<SegmentPlan> plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->kinds[1].threshold, FloatNear(0.25F * std::log(4.0F), 1e-6F));
}

TEST_F(PlanSegmentTest, TheCallersThresholdWins) {
  v1::SegmentRequest request = Request();
  Ask(&request, v1::PREDICTIVE_STDDEV, v1::MAP_ENCODING_UNSPECIFIED)->set_threshold(0);
  Ask(&request, v1::MARGIN, v1::MAP_ENCODING_UNSPECIFIED)->set_threshold(0.75F);
  const absl::StatusOr<SegmentPlan> plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->kinds[0].threshold, 0);
  EXPECT_EQ(plan->kinds[1].threshold, 0.75F);
  EXPECT_FALSE(plan->has_server_threshold);
}

TEST_F(PlanSegmentTest, AKindTheModelLacksIsAFailedPreconditionThatNamesThoseItHas) {
  v1::SegmentRequest request = Request();
  Ask(&request, v1::MUTUAL_INFORMATION, v1::MAP_F32);
  EXPECT_THAT(Plan(request),
              HasStatus(absl::StatusCode::kFailedPrecondition,
                        AllOf(StartsWith("uncertainty[0].kind: model \"street\" has no MUTUAL_INFORMATION; it has "),
                              HasSubstr("PREDICTIVE_STDDEV, PREDICTIVE_ENTROPY, MAX_PROBABILITY, MARGIN"))));
  EXPECT_THAT(PlanSegment(request, FakeModelInfo("ten", ModelKind::kEnsemble), kShare), IsOk());
}

TEST_F(PlanSegmentTest, AKindAskedForTwiceIsRefused) {
  v1::SegmentRequest request = Request();
  Ask(&request, v1::MARGIN, v1::MAP_F32);
  Ask(&request, v1::MARGIN, v1::MAP_U8);
  EXPECT_THAT(Plan(request), HasStatus(kInvalid, "uncertainty[1].kind: MARGIN is asked for twice"));
}

TEST_F(PlanSegmentTest, TheDefaultKindAskedForByNameAndByDefaultIsRefused) {
  v1::SegmentRequest request = Request();
  Ask(&request, v1::PREDICTIVE_STDDEV, v1::MAP_F32);
  Ask(&request, v1::UNCERTAINTY_KIND_UNSPECIFIED, v1::MAP_U8);
  EXPECT_THAT(Plan(request), HasStatus(kInvalid, "uncertainty[1].kind: PREDICTIVE_STDDEV is asked for twice"));
}

TEST_F(PlanSegmentTest, UnknownEnumValuesAreRefused) {
  v1::SegmentRequest labels = Request();
  labels.set_labels(static_cast<v1::LabelEncoding>(77));
  EXPECT_THAT(Plan(labels), HasStatus(kInvalid, StartsWith("labels: must be a value of LabelEncoding, got 77")));
  v1::SegmentRequest kind = Request();
  Ask(&kind, static_cast<v1::UncertaintyKind>(-3), v1::MAP_F32);
  EXPECT_THAT(Plan(kind),
              HasStatus(kInvalid, StartsWith("uncertainty[0].kind: must be a value of UncertaintyKind, got -3")));
  v1::SegmentRequest encoding = Request();
  Ask(&encoding, v1::MARGIN, static_cast<v1::MapEncoding>(9));
  EXPECT_THAT(Plan(encoding),
              HasStatus(kInvalid, StartsWith("uncertainty[0].encoding: must be a value of MapEncoding")));
}

TEST_F(PlanSegmentTest, ThresholdsMustBeFiniteAndNotNegative) {
  for (float threshold : {-0.001F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    v1::SegmentRequest request = Request();
    Ask(&request, v1::MARGIN, v1::MAP_F32)->set_threshold(threshold);
    EXPECT_THAT(Plan(request), HasStatus(kInvalid, StartsWith("uncertainty[0].threshold: must be finite and >= 0")));
  }
}

TEST_F(PlanSegmentTest, TheVerdictsKindIsComputedThoughNobodyAskedForIt) {
  const ModelInfo calibrated = WithVerdict(student_, UncertaintyKind::kMargin, 0.25F, 0.5F);
  absl::StatusOr<SegmentPlan> plan = PlanSegment(Request(), calibrated, kShare);
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->kinds.size(), 2u);
  EXPECT_EQ(plan->kinds[0].kind, UncertaintyKind::kPredictiveStddev);
  EXPECT_EQ(plan->kinds[1].kind, UncertaintyKind::kMargin);
  EXPECT_FALSE(plan->kinds[1].want_map);
  EXPECT_TRUE(plan->maps.empty());

  v1::SegmentRequest request = Request();
  Ask(&request, v1::MARGIN, v1::MAP_U8);
  Ask(&request, v1::MAX_PROBABILITY, v1::MAP_ENCODING_UNSPECIFIED);
  plan = PlanSegment(request, calibrated, kShare);
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->kinds.size(), 3u);
  EXPECT_TRUE(plan->kinds[1].want_map);

  plan = PlanSegment(Request(), WithVerdict(student_, UncertaintyKind::kPredictiveStddev, 0.25F, 0.5F), kShare);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->kinds.size(), 1u);
}

TEST_F(PlanSegmentTest, ARequestWithoutAPictureIsRefused) {
  EXPECT_THAT(Plan(v1::SegmentRequest()), HasStatus(kInvalid, StartsWith("image: ")));
}

// Two classes of four in six pixels; margin, upper bound 1, and entropy, upper bound ln 4.
class FillSegmentResponseTest : public testing::Test {
 protected:
  FillSegmentResponseTest() {
    segmentation_.width = 3;
    segmentation_.height = 2;
    segmentation_.labels = {1, 3, 3, 3, 3, 1};
    segmentation_.classes = {{0, 0}, {2, 0.5}, {0, 0}, {4, 2.0}};
    KindResult margin;
    margin.statistics = {UncertaintyKind::kMargin, 0.5F, 1, 0.25F, 0.75F, 0.875F, 0.1F, 0.5F};
    margin.map = {0, 0.001F, 0.002F, 0.5F, 1, 2};
    KindResult entropy;
    entropy.statistics.kind = UncertaintyKind::kPredictiveEntropy;
    entropy.map = {0, std::log(2.0F), std::log(4.0F), 0, 0, 0};
    segmentation_.kinds = {margin, entropy};
    plan_.kinds = {{UncertaintyKind::kMargin, true, 0.1F}, {UncertaintyKind::kPredictiveEntropy, true, 0}};
  }

  v1::SegmentResponse Fill() {
    v1::SegmentResponse response;
    FillSegmentResponse(plan_, info_, &segmentation_, &response);
    return response;
  }

  ModelInfo info_ = FakeModelInfo("street", ModelKind::kStudent, 4);
  Segmentation segmentation_;
  SegmentPlan plan_;
};

TEST_F(FillSegmentResponseTest, SaysModelAndSize) {
  const v1::SegmentResponse response = Fill();
  EXPECT_EQ(response.model().name(), "street");
  EXPECT_EQ(response.model().version(), 3);
  EXPECT_EQ(response.model().digest(), std::string(64, 'd'));
  EXPECT_EQ(response.width(), 3);
  EXPECT_EQ(response.height(), 2);
  EXPECT_EQ(response.label_encoding(), v1::LABEL_ENCODING_UNSPECIFIED);
  EXPECT_EQ(response.labels(), "");
  EXPECT_EQ(response.maps_size(), 0);
}

TEST_F(FillSegmentResponseTest, RawLabelsAreClassIndices) {
  plan_.labels = v1::LABEL_RAW;
  EXPECT_EQ(Fill().labels(), std::string("\1\3\3\3\3\1"));
}

TEST_F(FillSegmentResponseTest, Float32MapsAreTheValuesThemselves) {
  plan_.maps = {{0, v1::MAP_F32}};
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.maps_size(), 1);
  EXPECT_EQ(response.maps(0).kind(), v1::MARGIN);
  EXPECT_EQ(response.maps(0).scale(), 1);
  std::vector<float> values(6);
  ASSERT_EQ(response.maps(0).data().size(), 24u);
  std::memcpy(values.data(), response.maps(0).data().data(), 24);
  EXPECT_THAT(values, ElementsAre(0, 0.001F, 0.002F, 0.5F, 1, 2));
}

TEST_F(FillSegmentResponseTest, HalfMapsAreIeeeHalvesLittleEndian) {
  plan_.maps = {{0, v1::MAP_F16}};
  const std::string data = Fill().maps(0).data();
  ASSERT_EQ(data.size(), 12u);
  EXPECT_EQ(data.substr(6), std::string("\x00\x38\x00\x3C\x00\x40", 6));  // 0.5, 1 and 2: 0x3800, 0x3C00, 0x4000
}

TEST_F(FillSegmentResponseTest, ByteMapsAreScaledByTheUpperBoundRoundedAndClamped) {
  plan_.maps = {{1, v1::MAP_U8}, {0, v1::MAP_U8}};
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.maps_size(), 2);
  // Entropy: ln 2 is half of ln 4, 127.5 of 255, which rounds up; the caller multiplies by ln 4 / 255.
  EXPECT_THAT(response.maps(0).scale(), FloatEq(std::log(4.0F) / 255));
  const auto middle = static_cast<unsigned char>(response.maps(0).data()[1]);
  EXPECT_TRUE(middle == 127 || middle == 128);
  EXPECT_EQ(static_cast<unsigned char>(response.maps(0).data()[2]), 255);
  // Margin: 0.001 * 255 = 0.255 -> 0; 0.002 * 255 = 0.51 -> 1; 2 is beyond the bound.
  EXPECT_THAT(response.maps(1).scale(), FloatEq(1.0F / 255));
  EXPECT_EQ(response.maps(1).data().substr(0, 3), std::string("\0\0\1", 3));
  EXPECT_EQ(static_cast<unsigned char>(response.maps(1).data()[5]), 255);
}

TEST_F(FillSegmentResponseTest, StatisticsAreCopiedInOrder) {
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.statistics_size(), 2);
  const v1::UncertaintyStatistics& margin = response.statistics(0);
  EXPECT_EQ(margin.kind(), v1::MARGIN);
  EXPECT_EQ(margin.mean(), 0.5F);
  EXPECT_EQ(margin.max(), 1);
  EXPECT_EQ(margin.median(), 0.25F);
  EXPECT_EQ(margin.p90(), 0.75F);
  EXPECT_EQ(margin.p99(), 0.875F);
  EXPECT_EQ(margin.threshold(), 0.1F);
  EXPECT_EQ(margin.share_above_threshold(), 0.5F);
  EXPECT_EQ(response.statistics(1).kind(), v1::PREDICTIVE_ENTROPY);
}

TEST_F(FillSegmentResponseTest, ClassesThatOccurComeLargestFirst) {
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.classes_size(), 2);
  EXPECT_EQ(response.classes(0).class_index(), 3);
  EXPECT_FLOAT_EQ(response.classes(0).share(), 4.0F / 6);
  EXPECT_FLOAT_EQ(response.classes(0).mean_uncertainty(), 0.5F);
  EXPECT_EQ(response.classes(1).class_index(), 1);
  EXPECT_FLOAT_EQ(response.classes(1).share(), 2.0F / 6);
  EXPECT_FLOAT_EQ(response.classes(1).mean_uncertainty(), 0.25F);
}

TEST_F(FillSegmentResponseTest, AModelWithoutCalibrationGivesNoVerdict) {
  EXPECT_EQ(Fill().verdict(), v1::VERDICT_UNSPECIFIED);
  info_.spec.calibration = Calibration();  // a temperature alone
  EXPECT_EQ(Fill().verdict(), v1::VERDICT_UNSPECIFIED);
}

TEST_F(FillSegmentResponseTest, TheVerdictIsByTheMeanOfItsKind) {
  const ModelInfo plain = info_;
  segmentation_.kinds[1].statistics.mean = 0.25F;  // entropy; margin's mean is 0.5
  info_ = WithVerdict(plain, UncertaintyKind::kPredictiveEntropy, 0.25F, 0.5F);
  EXPECT_EQ(Fill().verdict(), v1::ACCEPT);
  info_ = WithVerdict(plain, UncertaintyKind::kMargin, 0.25F, 0.5F);
  EXPECT_EQ(Fill().verdict(), v1::REVIEW);
  info_ = WithVerdict(plain, UncertaintyKind::kMargin, 0.25F, 0.49F);
  EXPECT_EQ(Fill().verdict(), v1::REJECT);
}

}  // namespace
}  // namespace candor
