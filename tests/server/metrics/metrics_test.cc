// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "prometheus/text_serializer.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsTest : public testing::Test {
 protected:
  // The page as Prometheus would read it.
  std::string Page() const { return prometheus::TextSerializer().Serialize(metrics_.registry()->Collect()); }

  Metrics metrics_{"1.2.3",
                   "abc",
                   {{"street", 7, 0.5, UncertaintyKind::kPredictiveStddev, {"road", "car"}, true},
                    {"plain", 1, 2, UncertaintyKind::kPredictiveEntropy, {"road", "car"}}}};
};

// Two pixels "road" of uncertainty 0.1 each and two "car" of 0.3 each: mean 0.2, half of them above 0.2.
Segmentation FourPixels() {
  Segmentation result;
  result.width = 4;
  result.height = 1;
  result.classes = {{2, 0.2}, {2, 0.6}};
  KindResult kind;
  kind.statistics.kind = UncertaintyKind::kPredictiveStddev;
  kind.statistics.mean = 0.2F;
  kind.statistics.share_above_threshold = 0.5F;
  result.kinds = {kind};
  return result;
}

TEST_F(MetricsTest, SaysWhatIsBuiltAndLoaded) {
  EXPECT_THAT(Page(), HasSubstr("candor_build_info{git=\"abc\",version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_model_loaded{model=\"street\",version=\"7\"} 1\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_model_load_seconds{model=\"street\"} 0.5\n"));
}

TEST_F(MetricsTest, SaysWhichModelIsWithoutSomeMembers) {
  ModelMetricsInfo committee{"committee", 1, 2, UncertaintyKind::kPredictiveEntropy, {"road", "car"}};
  committee.members = 8;
  committee.damaged_members = 2;
  metrics_.AddModel(committee);
  EXPECT_THAT(Page(), HasSubstr("candor_model_members{model=\"committee\"} 8\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_model_members_damaged{model=\"committee\"} 2\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_model_members_damaged{model=\"street\"} 0\n"));
  metrics_.RemoveModel("committee", 1);
  EXPECT_THAT(Page(), Not(HasSubstr("candor_model_members{model=\"committee\"}")));
  EXPECT_THAT(Page(), Not(HasSubstr("candor_model_members_damaged{model=\"committee\"}")));
}

TEST_F(MetricsTest, SaysOfEachModelWhetherItServes) {
  EXPECT_THAT(Page(), HasSubstr("candor_serving{model=\"street\"} 0\n"));
  metrics_.ModelsServe({"street", "student"});
  EXPECT_THAT(Page(), HasSubstr("candor_serving{model=\"street\"} 1\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("candor_serving{model=\"student\"}")));  // an alias
  metrics_.RemoveModel("street", 3);
  metrics_.ModelsServe({});
  EXPECT_THAT(Page(), HasSubstr("candor_serving{model=\"street\"} 0\n"));
}

TEST_F(MetricsTest, CountsRequestsByMethodModelAndCode) {
  metrics_.RequestStarted();
  metrics_.RequestStarted();
  EXPECT_THAT(Page(), HasSubstr("candor_requests_in_flight 2\n"));
  metrics_.RequestFinished("Segment", "street", absl::StatusCode::kInvalidArgument, 0.02);
  EXPECT_THAT(Page(), HasSubstr("candor_requests_in_flight 1\n"));
  EXPECT_THAT(Page(),
              HasSubstr("candor_requests_total{code=\"INVALID_ARGUMENT\",method=\"Segment\",model=\"street\"} 1\n"));
  EXPECT_THAT(Page(),
              HasSubstr("candor_request_duration_seconds_bucket{method=\"Segment\",model=\"street\",le=\"0.01\"} 0\n"));
  EXPECT_THAT(
      Page(),
      HasSubstr("candor_request_duration_seconds_bucket{method=\"Segment\",model=\"street\",le=\"0.025\"} 1\n"));
}

TEST_F(MetricsTest, CountsCallersWhoGaveUp) {
  metrics_.RequestAbandoned();
  EXPECT_THAT(Page(), HasSubstr("candor_requests_abandoned_total 1\n"));
}

TEST_F(MetricsTest, ALoadedModelStartsWithZeroRequests) {
  EXPECT_THAT(Page(), HasSubstr("candor_requests_total{code=\"OK\",method=\"Segment\",model=\"street\"} 0\n"));
}

TEST_F(MetricsTest, NamesThatClientsInventMakeOneSeriesOnly) {
  for (const char* name : {"a", "b", "c", "unknown"}) {
    metrics_.RequestStarted();
    metrics_.RequestFinished("Segment", name, absl::StatusCode::kNotFound, 0.001);
  }
  EXPECT_THAT(Page(), HasSubstr("candor_requests_total{code=\"NOT_FOUND\",method=\"Segment\",model=\"unknown\"} 4\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("model=\"a\"")));
}

TEST_F(MetricsTest, TimesEachStage) {
  metrics_.StageFinished("street", Stage::kInfer, 0.25);
  metrics_.StageFinished("street", Stage::kInfer, 0.5);
  metrics_.StageFinished("nobody", Stage::kInfer, 0.5);
  EXPECT_THAT(Page(), HasSubstr("candor_stage_duration_seconds_sum{model=\"street\",stage=\"infer\"} 0.75\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_stage_duration_seconds_count{model=\"street\",stage=\"infer\"} 2\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_stage_duration_seconds_count{model=\"street\",stage=\"decode\"} 0\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("nobody")));
}

TEST_F(MetricsTest, AddsUpPicturesPixelsAndUncertaintyByClass) {
  metrics_.PictureSegmented("street", FourPixels(), true);
  metrics_.PictureSegmented("street", FourPixels(), true);
  EXPECT_THAT(Page(), HasSubstr("candor_images_total{model=\"street\"} 2\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_pixels_total{model=\"street\"} 8\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_predicted_pixels_total{class=\"road\",model=\"street\"} 4\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_predicted_uncertainty_total{class=\"car\",model=\"street\"} 1.2\n"));
}

TEST_F(MetricsTest, CountsVerdictsOfModelsThatGiveThem) {
  EXPECT_THAT(Page(), HasSubstr("candor_verdicts_total{model=\"street\",verdict=\"review\"} 0\n"));
  metrics_.VerdictGiven("street", PictureVerdict::kAccept);
  metrics_.VerdictGiven("street", PictureVerdict::kReject);
  metrics_.VerdictGiven("street", PictureVerdict::kReject);
  metrics_.VerdictGiven("plain", PictureVerdict::kReject);
  metrics_.VerdictGiven("nobody", PictureVerdict::kReject);
  EXPECT_THAT(Page(), HasSubstr("candor_verdicts_total{model=\"street\",verdict=\"accept\"} 1\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_verdicts_total{model=\"street\",verdict=\"reject\"} 2\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("candor_verdicts_total{model=\"plain\"")));
  EXPECT_THAT(Page(), Not(HasSubstr("nobody")));
}

TEST_F(MetricsTest, PutsEachPictureIntoTheUncertaintyHistogram) {
  metrics_.PictureSegmented("street", FourPixels(), true);
  const std::string name = "candor_image_uncertainty_bucket{kind=\"predictive_stddev\",model=\"street\",le=";
  EXPECT_THAT(Page(), HasSubstr(name + "\"0.15\"} 0\n"));
  EXPECT_THAT(Page(), HasSubstr(name + "\"0.3\"} 1\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_uncertain_pixel_ratio_sum{model=\"street\"} 0.5\n"));
}

TEST_F(MetricsTest, TheUncertaintyHistogramReachesTheKindsUpperBound) {
  // ln 2, the largest entropy of two classes, is 0.6931...
  const std::string last = "candor_image_uncertainty_bucket{kind=\"predictive_entropy\",model=\"plain\",le=\"0.693147";
  EXPECT_THAT(Page(), HasSubstr(last));
}

TEST_F(MetricsTest, LeavesOutSharesAboveACallersOwnThreshold) {
  metrics_.PictureSegmented("street", FourPixels(), false);
  EXPECT_THAT(Page(), HasSubstr("candor_uncertain_pixel_ratio_count{model=\"street\"} 0\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_images_total{model=\"street\"} 1\n"));
}

TEST_F(MetricsTest, NeverHoldsANaN) {
  Segmentation bad = FourPixels();
  bad.kinds[0].statistics.mean = std::numeric_limits<float>::quiet_NaN();
  bad.kinds[0].statistics.share_above_threshold = std::numeric_limits<float>::infinity();
  bad.classes[0].uncertainty_sum = std::numeric_limits<double>::quiet_NaN();
  metrics_.PictureSegmented("street", bad, true);
  metrics_.StageFinished("street", Stage::kDecode, std::nan(""));
  std::string page = Page();
  std::transform(page.begin(), page.end(), page.begin(), ::tolower);
  EXPECT_THAT(page, Not(HasSubstr("} nan")));
  EXPECT_THAT(page, Not(HasSubstr("} +inf")));
}

TEST_F(MetricsTest, CountsFromManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < 100; ++j) {
        metrics_.RequestStarted();
        metrics_.PictureSegmented("street", FourPixels(), true);
        metrics_.RequestFinished("Segment", "street", absl::StatusCode::kOk, 0.01);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Page(), HasSubstr("candor_requests_total{code=\"OK\",method=\"Segment\",model=\"street\"} 400\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_pixels_total{model=\"street\"} 1600\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_requests_in_flight 0\n"));
}

// All of the pixels in the lower half of the range.
Segmentation HalfCertain() {
  Segmentation result;
  result.kinds.resize(2);
  result.kinds[0].statistics.kind = UncertaintyKind::kPredictiveEntropy;
  result.kinds[0].statistics.histogram[63] = 4;
  result.kinds[1].statistics.kind = UncertaintyKind::kPredictiveStddev;
  for (int i = 0; i < 32; ++i) result.kinds[1].statistics.histogram[i] = 100;
  return result;
}

ModelMetricsInfo WithEvenReference(int version) {
  ModelMetricsInfo info{"night", version, 1, UncertaintyKind::kPredictiveEntropy, {"road", "car"}, false};
  info.reference = {UncertaintyKind::kPredictiveStddev, std::vector<float>(64, 1.0F / 64)};
  return info;
}

TEST_F(MetricsTest, DriftIsShownOnceThereAreEnoughPicturesAndGoesWithItsVersion) {
  const std::string series = "candor_uncertainty_drift_psi{model=\"night\"} ";
  metrics_.AddModel(WithEvenReference(1));
  EXPECT_THAT(Page(), Not(HasSubstr(series)));
  for (int i = 0; i < 50; ++i) metrics_.PictureSegmented("night", HalfCertain(), true);
  const std::string page = Page();
  const size_t at = page.find(series);
  ASSERT_NE(at, std::string::npos);
  // p = 1/32 or 0, q = 1/64, each with 0.0001 more, in 32 bins each:
  // 32/64 / 1.0064 (ln((1/32 + 0.0001) / (1/64 + 0.0001)) + ln((1/64 + 0.0001) / 0.0001)) = 0.496820 ln(313.5)
  EXPECT_NEAR(std::stod(page.substr(at + series.size())), 0.496820 * std::log(313.5), 1e-5);
  metrics_.RemoveModel("night", 1);
  EXPECT_THAT(Page(), Not(HasSubstr(series)));
  metrics_.PictureSegmented("night", HalfCertain(), true);  // a call that was under way
  EXPECT_THAT(Page(), Not(HasSubstr(series)));
  metrics_.AddModel(WithEvenReference(2));
  metrics_.PictureSegmented("night", HalfCertain(), true);
  EXPECT_THAT(Page(), Not(HasSubstr(series)));  // counts anew
}

}  // namespace
}  // namespace candor
