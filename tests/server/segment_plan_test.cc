// SPDX-License-Identifier: Apache-2.0
#include "server/segment_plan.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
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

TEST_F(PlanSegmentTest, MapsAreMadeAsHalvesWhereTheyAreOnlySentAsThose) {
  v1::SegmentRequest request = Request();
  Ask(&request, v1::MARGIN, v1::MAP_F16);
  Ask(&request, v1::PREDICTIVE_ENTROPY, v1::MAP_F32);
  absl::StatusOr<SegmentPlan> plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_FALSE(plan->kinds[0].as_halves);
  EXPECT_TRUE(plan->kinds[1].as_halves);
  EXPECT_FALSE(plan->kinds[2].as_halves);
  request.mutable_abstain()->set_kind(v1::MARGIN);
  request.mutable_abstain()->set_threshold(0.5F);
  plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_FALSE(plan->kinds[1].as_halves);  // compared with the threshold first
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

TEST_F(PlanSegmentTest, NothingIsComputedUnaskedFor) {
  const absl::StatusOr<SegmentPlan> plan = Plan(Request());
  ASSERT_THAT(plan, IsOk());
  EXPECT_FALSE(plan->overlay.has_value());
  EXPECT_FALSE(plan->abstain.has_value());
  EXPECT_FALSE(plan->overlay.has_value());
  EXPECT_FALSE(plan->region.has_value());
  EXPECT_FALSE(plan->frame.has_value());
}

TEST_F(PlanSegmentTest, AbstainingNeedsTheMapThoughItIsNotSent) {
  v1::SegmentRequest request = Request();
  request.mutable_abstain()->set_kind(v1::MARGIN);
  request.mutable_abstain()->set_threshold(0.5F);
  const absl::StatusOr<SegmentPlan> plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->kinds.size(), 2u);
  EXPECT_FALSE(plan->kinds[0].want_map);
  EXPECT_EQ(plan->kinds[1].kind, UncertaintyKind::kMargin);
  EXPECT_TRUE(plan->kinds[1].want_map);
  EXPECT_TRUE(plan->maps.empty());
  EXPECT_EQ(plan->abstain->kind_index, 1u);
  EXPECT_THAT(plan->abstain->thresholds, testing::ElementsAre(0.5F, 0.5F, 0.5F, 0.5F));
  EXPECT_EQ(plan->abstain->index, 255);
}

TEST_F(PlanSegmentTest, EachClassMayHaveItsThresholdAndAbstainingItsIndex) {
  v1::SegmentRequest request = Request();
  for (float threshold : {0.1F, 0.2F, 0.3F, 0.4F}) request.mutable_abstain()->add_class_thresholds(threshold);
  request.mutable_abstain()->set_index(4);
  const absl::StatusOr<SegmentPlan> plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->abstain->kind_index, 0u);  // the default kind
  EXPECT_THAT(plan->abstain->thresholds, testing::ElementsAre(0.1F, 0.2F, 0.3F, 0.4F));
  EXPECT_EQ(plan->abstain->index, 4);
}

TEST_F(PlanSegmentTest, AnOverlayHasDefaults) {
  v1::SegmentRequest request = Request();
  request.mutable_overlay()->set_encoding(v1::OVERLAY_JPEG);
  absl::StatusOr<SegmentPlan> plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_TRUE(plan->overlay.has_value());
  EXPECT_EQ(plan->overlay->opacity, 0.5F);
  EXPECT_EQ(plan->overlay->quality, 90);
  request.mutable_overlay()->set_opacity(1);
  request.mutable_overlay()->set_quality(100);
  plan = Plan(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->overlay->opacity, 1);
  EXPECT_EQ(plan->overlay->quality, 100);
}

TEST_F(PlanSegmentTest, ARegionNeedsNoVerdict) {
  const ModelInfo judged = WithVerdict(student_, UncertaintyKind::kMargin, 0.1F, 0.2F);
  v1::SegmentRequest request = Request();
  EXPECT_EQ(PlanSegment(request, judged, kShare)->kinds.size(), 2u);
  request.mutable_region()->set_width(1);
  EXPECT_EQ(PlanSegment(request, judged, kShare)->kinds.size(), 1u);
}

TEST_F(PlanSegmentTest, RefusalsNameTheFieldTheValueAndTheRule) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  struct Case {
    std::function<void(v1::SegmentRequest*)> edit;
    const char* begin;
  };
  const std::vector<Case> cases = {
      {[](auto* r) { r->mutable_abstain(); }, "abstain: must have either"},
      {[](auto* r) {
         r->mutable_abstain()->set_threshold(0);
         r->mutable_abstain()->add_class_thresholds(0);
       },
       "abstain: must have either"},
      {[](auto* r) { r->mutable_abstain()->set_threshold(-1); }, "abstain.threshold: must be finite and >= 0, got -1"},
      {[nan](auto* r) { r->mutable_abstain()->set_threshold(nan); }, "abstain.threshold: "},
      {[](auto* r) { r->mutable_abstain()->add_class_thresholds(0); },
       "abstain.class_thresholds: must have one for each of the model's 4 classes, has 1"},
      {[](auto* r) {
         for (float threshold : {0.F, 0.F, -1.F, 0.F}) r->mutable_abstain()->add_class_thresholds(threshold);
       },
       "abstain.class_thresholds[2]: "},
      {[](auto* r) {
         r->mutable_abstain()->set_threshold(0);
         r->mutable_abstain()->set_index(3);
       },
       "abstain.index: must be in [4, 255], which is no class, got 3"},
      {[](auto* r) {
         r->mutable_abstain()->set_threshold(0);
         r->mutable_abstain()->set_index(256);
       },
       "abstain.index: "},
      {[](auto* r) {
         r->mutable_abstain()->set_threshold(0);
         r->mutable_abstain()->set_kind(static_cast<v1::UncertaintyKind>(99));
       },
       "abstain.kind: "},
      {[](auto* r) { r->mutable_overlay(); }, "overlay.encoding: must be OVERLAY_PNG or OVERLAY_JPEG, got 0"},
      {[](auto* r) {
         r->mutable_overlay()->set_encoding(v1::OVERLAY_PNG);
         r->mutable_overlay()->set_opacity(0);
       },
       "overlay.opacity: must be in (0, 1], got 0"},
      {[nan](auto* r) {
         r->mutable_overlay()->set_encoding(v1::OVERLAY_PNG);
         r->mutable_overlay()->set_opacity(nan);
       },
       "overlay.opacity: "},
      {[](auto* r) {
         r->mutable_overlay()->set_encoding(v1::OVERLAY_JPEG);
         r->mutable_overlay()->set_quality(101);
       },
       "overlay.quality: must be in [1, 100], got 101"},
      {[](auto* r) { r->mutable_frame()->set_camera(std::string(65, 'c')); }, "frame.camera: must be at most 64"},
      {[](auto* r) { r->mutable_frame()->set_camera("a\nb"); }, "frame.camera: "},
      {[](auto* r) { r->mutable_frame()->set_frame_id("\xC3\xBC"); }, "frame.frame_id: "},
  };
  for (const Case& c : cases) {
    v1::SegmentRequest request = Request();
    c.edit(&request);
    EXPECT_THAT(Plan(request), HasStatus(kInvalid, StartsWith(c.begin))) << request.ShortDebugString();
  }
}

TEST(CheckPlanFitsTest, ARegionLiesInsideThePicture) {
  SegmentPlan plan;
  EXPECT_THAT(CheckPlanFits(plan, 1, 1), IsOk());
  const int max = std::numeric_limits<int>::max();
  for (const Region& region : {Region{0, 0, 8, 6}, Region{7, 5, 1, 1}}) {
    plan.region = region;
    EXPECT_THAT(CheckPlanFits(plan, 8, 6), IsOk());
  }
  for (const Region& region :
       {Region{0, 0, 9, 6}, Region{0, 0, 8, 7}, Region{-1, 0, 1, 1}, Region{0, -1, 1, 1}, Region{0, 0, 0, 1},
        Region{0, 0, 1, 0}, Region{8, 0, 1, 1}, Region{max, 0, max, 1}, Region{1, 1, max, max}, Region{0, 0, -1, -1}}) {
    plan.region = region;
    EXPECT_THAT(CheckPlanFits(plan, 8, 6),
                HasStatus(kInvalid, StartsWith("region: must be inside the picture of 8x6")));
  }
}

TEST(CheckPlanFitsTest, AJpegsSidesAreLimited) {
  SegmentPlan plan;
  plan.overlay = OverlayPlan{v1::OVERLAY_JPEG, 0.5F, 90};
  EXPECT_THAT(CheckPlanFits(plan, 65500, 1), IsOk());
  EXPECT_THAT(CheckPlanFits(plan, 1, 65501), HasStatus(kInvalid, StartsWith("overlay.encoding: ")));
  plan.region = Region{0, 0, 1, 65500};
  EXPECT_THAT(CheckPlanFits(plan, 1, 65501), IsOk());
  plan.region.reset();
  plan.overlay->encoding = v1::OVERLAY_PNG;
  EXPECT_THAT(CheckPlanFits(plan, 1, 65501), IsOk());
}

TEST_F(PlanSegmentTest, PriorityIsNormalUnlessSaid) {
  v1::SegmentRequest request = Request();
  EXPECT_EQ(Plan(request)->priority, Priority::kNormal);
  request.set_priority(v1::PRIORITY_HIGH);
  EXPECT_EQ(Plan(request)->priority, Priority::kHigh);
  request.set_priority(v1::PRIORITY_LOW);
  EXPECT_EQ(Plan(request)->priority, Priority::kLow);
  request.set_priority(static_cast<v1::Priority>(9));
  EXPECT_THAT(Plan(request), HasStatus(kInvalid, HasSubstr("priority: must be a value of Priority, got 9")));
}

TEST_F(PlanSegmentTest, AnytimeMeansSomethingOnlyToSeveralPredictions) {
  v1::SegmentRequest request = Request();
  request.set_anytime(true);
  EXPECT_FALSE(Plan(request)->anytime);
  EXPECT_TRUE(PlanSegment(request, FakeModelInfo("committee", ModelKind::kEnsemble), kShare)->anytime);
}

}  // namespace
}  // namespace candor
