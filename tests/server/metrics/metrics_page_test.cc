// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/metrics_page.h"

#include <chrono>

#include "gmock/gmock.h"
#include "server/metrics/process_metrics.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

TEST(MetricsPageTest, PortZeroTakesAFreeOne) {
  const auto page = MetricsPage::Open("127.0.0.1", 0, {});
  ASSERT_THAT(page, IsOk());
  EXPECT_GT((*page)->port(), 0);
}

TEST(MetricsPageTest, ATakenPortIsUnavailableAndNamed) {
  const auto page = MetricsPage::Open("127.0.0.1", 0, {});
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(MetricsPage::Open("127.0.0.1", (*page)->port(), {}),
              HasStatus(absl::StatusCode::kUnavailable, HasSubstr("127.0.0.1:" + std::to_string((*page)->port()))));
}

TEST(MetricsPageTest, AHostNameIsUnavailable) {
  EXPECT_THAT(MetricsPage::Open("no.such.host.example", 0, {}),
              HasStatus(absl::StatusCode::kUnavailable, HasSubstr("IP address")));
}

TEST(MetricsPageTest, ClosesWellWithinCivetwebsTwoSeconds) {
  auto page = MetricsPage::Open("127.0.0.1", 0, {std::make_shared<ProcessMetrics>()});
  ASSERT_THAT(page, IsOk());
  const auto start = std::chrono::steady_clock::now();
  page->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1500));
}

TEST(MetricsPageTest, AClosedPortIsFreeAgain) {
  auto page = MetricsPage::Open("127.0.0.1", 0, {});
  ASSERT_THAT(page, IsOk());
  const int port = (*page)->port();
  page->reset();
  EXPECT_THAT(MetricsPage::Open("127.0.0.1", port, {}), IsOk());
}

}  // namespace
}  // namespace candor
