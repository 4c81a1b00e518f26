// SPDX-License-Identifier: Apache-2.0
//
// Counting failures in a row.
#include "server/health/self_probe.h"

#include <utility>

#include "core/base/log.h"

namespace candor {

SelfProbe::SelfProbe(absl::Duration interval, int max_failures, std::function<absl::Status()> probe,
                     std::function<void(const absl::Status&)> give_up, Clock clock)
    : interval_(absl::ToChronoNanoseconds(interval)),
      max_failures_(max_failures),
      probe_(std::move(probe)),
      give_up_(std::move(give_up)),
      clock_(std::move(clock)),
      thread_([this] { Run(); }) {}

SelfProbe::~SelfProbe() {
  {
    absl::MutexLock lock(&mu_);
    is_over_ = true;
    ended_.NotifyAll();
  }
  thread_.join();
}

bool SelfProbe::EndsWithinTheInterval() {
  absl::MutexLock lock(&mu_);
  return ended_.AwaitUntil(&mu_, std::chrono::steady_clock::now() + interval_,
                           [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return is_over_; });
}

void SelfProbe::Run() {
  int failures = 0;
  bool was_late = false;
  while (!EndsWithinTheInterval()) {
    const auto start = clock_();
    const absl::Status status = probe_();
    if (status.ok()) {
      failures = 0;
      was_late = false;
      continue;
    }
    // The probe's own limits were passed by far: it was this process that stood still.
    const bool is_late = clock_() - start > interval_ + interval_ / 2;
    if (is_late && !was_late) {
      LogWarning("self-probe came late, as if the process had been stopped", {{"error", status.message()}});
      was_late = true;
      continue;
    }
    was_late = false;
    ++failures;
    LogWarning("self-probe failed", {{"failures_in_a_row", failures}, {"error", status.message()}});
    if (failures == max_failures_) return give_up_(status);
  }
}

}  // namespace candor
