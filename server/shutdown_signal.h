// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace candor {

// SIGTERM, SIGINT and SIGHUP as events. One object a process, made before any other thread: it blocks the signals in
// its maker's thread, and threads made later inherit that. The second SIGTERM or SIGINT ends the process at once with
// 130.
class ShutdownSignal {
 public:
  enum class Event { kShutdown, kHangup };

  ShutdownSignal();
  ~ShutdownSignal();

  ShutdownSignal(const ShutdownSignal&) = delete;
  ShutdownSignal& operator=(const ShutdownSignal&) = delete;

  // Until this is called, the first SIGTERM or SIGINT ends the process with 0: there is nothing to drain yet.
  void Arm() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for what comes next: the shutdown for good, or a SIGHUP; several before the call are one.
  Event Wait() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Watch() ABSL_LOCKS_EXCLUDED(mu_);
  bool HasEvent() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return has_shutdown_ || has_hangup_; }

  absl::Mutex mu_;
  bool has_shutdown_ ABSL_GUARDED_BY(mu_) = false;
  bool has_hangup_ ABSL_GUARDED_BY(mu_) = false;
  bool is_armed_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> is_ending_{false};
  std::thread watcher_;
};

}  // namespace candor
