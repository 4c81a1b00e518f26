// SPDX-License-Identifier: Apache-2.0
//
// The teacher beside the student, in a running server.
#include "server/shadow/shadow.h"

#include "gmock/gmock.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using testing::HasSubstr;

void CheckEveryAnswer(v1::ServerConfig* config) {
  config->mutable_shadow()->set_model("committee");
  config->mutable_shadow()->set_share(1);
  config->mutable_shadow()->set_max_busy_share(1);
}

TEST(ShadowTest, TheTeacherSeesThePictureAndAgreementIsCounted) {
  LiveServer live(CheckEveryAnswer);
  ASSERT_TRUE(live.Segment(RawRequest()).ok());
  ASSERT_TRUE(live.ScrapeUntil("candor_shadow_pictures_total{model=\"street\",outcome=\"compared\"} 1"));
  EXPECT_EQ(live.committee().calls().size(), 1u);
  const std::string page = live.Scrape();
  EXPECT_THAT(page, HasSubstr("candor_shadow_agreement_sum{model=\"street\"} 1"));
  EXPECT_THAT(page, HasSubstr("candor_shadow_uncertainty_rmse_sum{model=\"street\"} 0"));
  EXPECT_THAT(page, HasSubstr("candor_shadow_uncertainty_correlation_count{model=\"street\"} 1"));
}

TEST(ShadowTest, ACheckGivesWayToARequest) {
  LiveServer live(CheckEveryAnswer);
  live.committee().Block();  // the check does not end by itself
  ASSERT_TRUE(live.Segment(RawRequest()).ok());
  live.committee().WaitForCalls(1);
  EXPECT_TRUE(live.Segment(RawRequest()).ok()) << "it stops the check";
  EXPECT_TRUE(live.ScrapeUntil("candor_shadow_pictures_total{model=\"street\",outcome=\"gave_way\"} 1"));
  live.committee().Release();
}

TEST(ShadowTest, TheTeachersOwnAnswersAreNotChecked) {
  LiveServer live(CheckEveryAnswer);
  v1::SegmentRequest request = RawRequest();
  request.set_model("committee");
  ASSERT_TRUE(live.Segment(request).ok());
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
  EXPECT_EQ(live.committee().calls().size(), 1u);
}

}  // namespace
}  // namespace candor
