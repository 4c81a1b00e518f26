// SPDX-License-Identifier: Apache-2.0
#include "server/health/self_probe.h"

#include <atomic>
#include <string>

#include "absl/synchronization/blocking_counter.h"
#include "gmock/gmock.h"

namespace candor {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(1);

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
        });
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

TEST(SelfProbeTest, EndsAtOnceBetweenProbes) {
  SelfProbe probe(
      absl::Hours(1), 1, [] { return absl::UnavailableError("not asked"); },
      [](const absl::Status& status) { ADD_FAILURE() << status; });
}

}  // namespace
}  // namespace candor
