// SPDX-License-Identifier: Apache-2.0
//
// Callers of the metrics page who do not behave.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/server/faults/raw_peer.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;

// More connections than the page has threads, open until the object goes.
class HungScrapers {
 public:
  HungScrapers(const std::string& address, int count, const std::string& request) {
    for (int i = 0; i < count; ++i) {
      peers_.push_back(std::make_unique<RawPeer>(address));
      EXPECT_TRUE(peers_.back()->Send(request));
    }
  }

 private:
  std::vector<std::unique_ptr<RawPeer>> peers_;
};

class ScraperFaultsTest : public testing::Test {
 protected:
  void ExpectThatOthersAreAnswered() {
    const auto start = steady_clock::now();
    EXPECT_TRUE(live_.Segment(RawRequest()).ok());
    EXPECT_THAT(live_.Scrape(), HasSubstr("candor_build_info"));
    EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(15)) << "civetweb's own patience is 30 s";
  }

  LiveServer live_;
};

TEST_F(ScraperFaultsTest, ThoseThatSayNothingHoldUpNeitherMetricsNorRequests) {
  const HungScrapers silent(live_.server().metrics_address(), 12, "");
  ExpectThatOthersAreAnswered();
}

TEST_F(ScraperFaultsTest, ThoseThatStopInTheMidstOfTheirRequestHoldUpNobody) {
  const HungScrapers halting(live_.server().metrics_address(), 12, "GET /metrics HTTP/1.1\r\nHost: ");
  ExpectThatOthersAreAnswered();
}

TEST_F(ScraperFaultsTest, ThoseThatNeverReadHoldUpNobody) {
  std::string requests;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&requests, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const HungScrapers deaf(live_.server().metrics_address(), 4, requests);
  ExpectThatOthersAreAnswered();
}

}  // namespace
}  // namespace candor
