// SPDX-License-Identifier: Apache-2.0
#include "server/health/self_probe.h"

#include <atomic>
#include <chrono>
#include <string>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

constexpr absl::Duration kInterval = absl::Milliseconds(1);

// A clock that stands still: no probe is late.
steady_clock::time_point Still() { return {}; }

// What becomes of probes that end as `outcomes` says: "." right, "x" wrong, "L" wrong and as late as after a stop.
// Returns how many there were when it gave up after the second failure in a row.
size_t ProbesUntilGivenUp(const std::string& outcomes) {
  std::atomic<size_t> probes{0};
  steady_clock::time_point now;  // of the probe's thread
  absl::Notification gave_up;
  SelfProbe probe(
      kInterval, 2,
      [&]() -> absl::Status {
        const size_t i = probes++;
        const char outcome = i < outcomes.size() ? outcomes[i] : 'x';
        if (outcome == 'L') now += std::chrono::seconds(30);
        return outcome == '.' ? absl::OkStatus() : absl::UnavailableError("deaf");
      },
      [&](const absl::Status&) { gave_up.Notify(); }, [&now] { return now; });
  gave_up.WaitForNotification();
  return probes;
}

TEST(SelfProbeTest, GivesUpAfterFailuresInARowOnly) {
  // Twice wrong, once right, three times wrong: the third in a row is the sixth probe.
  const std::string outcomes = "xx.xxx";
  std::atomic<size_t> probes{0};
  absl::Notification gave_up;
  std::string reason;
  {
    SelfProbe probe(
        kInterval, 3,
        [&]() -> absl::Status {
          const size_t i = probes++;
          return i < outcomes.size() && outcomes[i] == '.' ? absl::OkStatus() : absl::UnavailableError("deaf");
        },
        [&](const absl::Status& status) {
          reason = std::string(status.message());
          gave_up.Notify();
        },
        &Still);
    gave_up.WaitForNotification();
  }
  EXPECT_EQ(probes, outcomes.size());
  EXPECT_EQ(reason, "deaf");
}

TEST(SelfProbeTest, ASoundServerIsProbedOnAndOn) {
  absl::BlockingCounter ten(10);
  std::atomic<int> left{10};
  SelfProbe probe(
      kInterval, 1,
      [&] {
        if (left.fetch_sub(1) > 0) ten.DecrementCount();
        return absl::OkStatus();
      },
      [](const absl::Status& status) { ADD_FAILURE() << status; });
  ten.Wait();
}

TEST(SelfProbeTest, AProcessThatWasStoppedIsNotGivenUpForIt) {
  EXPECT_EQ(ProbesUntilGivenUp("xx"), 2u);
  EXPECT_EQ(ProbesUntilGivenUp("xLx"), 3u) << "the late one neither counts nor makes up for the one before";
  EXPECT_EQ(ProbesUntilGivenUp("L.L.L.xx"), 8u) << "stopped again and again";
  EXPECT_EQ(ProbesUntilGivenUp("LLLL"), 4u) << "one that is always late is counted every other time";
}

TEST(SelfProbeTest, EndsAtOnceBetweenProbes) {
  SelfProbe probe(
      absl::Hours(1), 1, [] { return absl::UnavailableError("not asked"); },
      [](const absl::Status& status) { ADD_FAILURE() << status; });
}

}  // namespace
}  // namespace candor
