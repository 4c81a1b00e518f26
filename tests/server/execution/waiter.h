// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "server/execution/inference_scheduler.h"

namespace candor {

// Collects one outcome.
class Waiter {
 public:
  InferenceScheduler::Done done() {
    return [this](InferenceOutcome outcome) {
      thread_ = std::this_thread::get_id();
      outcome_ = std::move(outcome);
      finished_.Notify();
    };
  }
  const InferenceOutcome& outcome() {
    finished_.WaitForNotification();
    return outcome_;
  }
  std::thread::id thread() {
    finished_.WaitForNotification();
    return thread_;
  }

 private:
  InferenceOutcome outcome_;
  std::thread::id thread_;
  absl::Notification finished_;
};

}  // namespace candor
