// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace candor {

// SIGTERM and SIGINT as an event. One object a process, made before any other thread: it blocks both signals in its
// maker's thread, and threads made later inherit that. The second signal ends the process at once with 130.
class ShutdownSignal {
 public:
  ShutdownSignal();
  ~ShutdownSignal();

  ShutdownSignal(const ShutdownSignal&) = delete;
  ShutdownSignal& operator=(const ShutdownSignal&) = delete;

  // Until this is called, the first signal ends the process with 0: there is nothing to drain yet.
  void Arm() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for the first signal after Arm.
  void Wait() { received_.WaitForNotification(); }

 private:
  void Watch() ABSL_LOCKS_EXCLUDED(mu_);

  absl::Mutex mu_;
  bool is_armed_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> is_ending_{false};
  absl::Notification received_;
  std::thread watcher_;
};

}  // namespace candor
