// SPDX-License-Identifier: Apache-2.0
//
// Counting failures in a row.
#include "server/health/self_probe.h"

#include <utility>

#include "core/base/log.h"

namespace candor {

SelfProbe::SelfProbe(absl::Duration interval, int max_failures, std::function<absl::Status()> probe,
                     std::function<void(const absl::Status&)> give_up)
    : interval_(interval),
      max_failures_(max_failures),
      probe_(std::move(probe)),
      give_up_(std::move(give_up)),
      thread_([this] { Run(); }) {}

SelfProbe::~SelfProbe() {
  stop_.Notify();
  thread_.join();
}

void SelfProbe::Run() {
  int failures = 0;
  while (!stop_.WaitForNotificationWithTimeout(interval_)) {
    const absl::Status status = probe_();
    if (status.ok()) {
      failures = 0;
      continue;
    }
    ++failures;
    LogWarning("self-probe failed", {{"failures_in_a_row", failures}, {"error", status.message()}});
    if (failures == max_failures_) return give_up_(status);
  }
}

}  // namespace candor
