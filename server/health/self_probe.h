// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace candor {

// A thread that calls `probe` every `interval` and, once it has failed `max_failures` times in a row, calls `give_up`
// with the last failure and ends. `probe` has to return within a time of its own. The destructor waits for a probe
// under way.
class SelfProbe {
 public:
  SelfProbe(absl::Duration interval, int max_failures, std::function<absl::Status()> probe,
            std::function<void(const absl::Status&)> give_up);
  ~SelfProbe();

  SelfProbe(const SelfProbe&) = delete;
  SelfProbe& operator=(const SelfProbe&) = delete;

 private:
  void Run();

  const absl::Duration interval_;
  const int max_failures_;
  const std::function<absl::Status()> probe_;
  const std::function<void(const absl::Status&)> give_up_;
  absl::Notification stop_;
  std::thread thread_;
};

}  // namespace candor
