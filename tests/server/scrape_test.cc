// SPDX-License-Identifier: Apache-2.0
//
// What Prometheus sees of a live server.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ScrapeTest, CountsWhatWasAskedAndAnswered) {
  LiveServer live([](v1::ServerConfig* config) { config->set_uncertainty_threshold(0.3F); });
  ASSERT_TRUE(live.Segment(RawRequest()).ok());
  ASSERT_TRUE(live.Segment(RawRequest()).ok());
  ASSERT_FALSE(live.Segment(EncodedRequest("no picture")).ok());
  v1::SegmentRequest unknown = RawRequest();
  unknown.set_model("nobody");
  ASSERT_FALSE(live.Segment(unknown).ok());
  grpc::ClientContext context;
  v1::ListModelsResponse models;
  ASSERT_TRUE(live.stub().ListModels(&context, {}, &models).ok());

  for (const char* line : {
           "candor_requests_total{code=\"OK\",method=\"Segment\",model=\"street\"} 2",
           "candor_requests_total{code=\"INVALID_ARGUMENT\",method=\"Segment\",model=\"street\"} 1",
           "candor_requests_total{code=\"NOT_FOUND\",method=\"Segment\",model=\"unknown\"} 1",
           "candor_requests_total{code=\"OK\",method=\"ListModels\",model=\"none\"} 1",
           "candor_request_duration_seconds_count{method=\"Segment\",model=\"street\"} 3",
           "candor_requests_in_flight 0",
           "candor_images_total{model=\"street\"} 2",
           "candor_images_total{model=\"committee\"} 0",
           "candor_pixels_total{model=\"street\"} 8",
           "candor_stage_duration_seconds_count{model=\"street\",stage=\"infer\"} 2",
           "candor_stage_duration_seconds_count{model=\"street\",stage=\"encode\"} 2",
           "candor_model_loaded{model=\"street\",version=\"3\"} 1",
           "candor_serving{model=\"street\"} 1",
           "candor_model_load_seconds{model=\"committee\"} 0.25",
           // FourPixels(): half of the pixels above 0.3, mean 0.4, two pixels "class2" of 0.4 and 1.
           "candor_uncertain_pixel_ratio_sum{model=\"street\"} 1",
           "candor_image_uncertainty_bucket{kind=\"predictive_stddev\",model=\"street\",le=\"0.3\"} 0",
           "candor_image_uncertainty_bucket{kind=\"predictive_stddev\",model=\"street\",le=\"0.5\"} 2",
           "candor_predicted_pixels_total{class=\"class2\",model=\"street\"} 4",
       }) {
    EXPECT_TRUE(live.ScrapeUntil(line)) << line << "\n" << live.Scrape();
  }
  EXPECT_THAT(live.Scrape(), HasSubstr("candor_predicted_uncertainty_total{class=\"class2\",model=\"street\"} 2.8"));
  EXPECT_THAT(live.Scrape(), HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(live.Scrape(), Not(HasSubstr("candor_gpu_memory_bytes")));  // no GPU is in use
}

TEST(ScrapeTest, ARefusedRequestIsNoPicture) {
  LiveServer live;
  live.street().FailWith(absl::InternalError("no"));
  ASSERT_FALSE(live.Segment(RawRequest()).ok());
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_total{code=\"INTERNAL\",method=\"Segment\",model=\"street\"} 1"));
  EXPECT_THAT(live.Scrape(), HasSubstr("candor_images_total{model=\"street\"} 0"));
}

TEST(ScrapeTest, AServerThatDrainsIsThereButDoesNotServe) {
  LiveServer live;
  live.street().Block();
  PendingCall accepted(&live, RawRequest());
  live.street().WaitForCalls(1);
  std::thread drainer([&live] { live.server().Drain(); });
  EXPECT_TRUE(live.ScrapeUntil("candor_serving{model=\"street\"} 0")) << live.Scrape();
  EXPECT_TRUE(live.ScrapeUntil("candor_serving{model=\"committee\"} 0")) << live.Scrape();
  live.street().Release();
  EXPECT_TRUE(accepted.Wait().ok());
  drainer.join();
}

TEST(ScrapeTest, OtherPathsAreNotFound) {
  LiveServer live;
  EXPECT_THAT(HttpGet(live.server().metrics_address(), "/secret"), Not(HasSubstr("candor_")));
}

TEST(ScrapeTest, PromtoolFindsNothingToComplainAbout) {
  const std::string promtool = CANDOR_SOURCE_DIR "/.deps/tools/usr/bin/promtool";
  if (!std::filesystem::exists(promtool)) {
    GTEST_SKIP() << "promtool is not installed; the set-up puts it at " << promtool;
  }
  LiveServer live(WithVerdict(FakeModelInfo("street", ModelKind::kStudent), UncertaintyKind::kMargin, 0.25F, 0.5F));
  ASSERT_TRUE(live.Segment(RawRequest()).ok());
  ASSERT_FALSE(live.Segment(EncodedRequest("no picture")).ok());
  const std::string page = absl::StrCat(testing::TempDir(), "scrape_test_", getpid(), ".txt");
  std::ofstream(page) << live.Scrape();
  std::string complaints;
  FILE* pipe = popen(absl::StrCat(promtool, " check metrics < ", page, " 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char buffer[256];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) complaints += buffer;
  const int status = pclose(pipe);
  std::filesystem::remove(page);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << complaints;
  EXPECT_EQ(complaints, "");
}

}  // namespace
}  // namespace candor
