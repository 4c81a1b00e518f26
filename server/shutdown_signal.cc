// SPDX-License-Identifier: Apache-2.0
//
// A thread that waits for the signals, so that no handler runs in the middle of anything.
#include "server/shutdown_signal.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/exit_code.h"

namespace candor {
namespace {

sigset_t WatchedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

ShutdownSignal::ShutdownSignal() {
  const sigset_t signals = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  watcher_ = std::thread([this] { Watch(); });
}

ShutdownSignal::~ShutdownSignal() {
  is_ending_ = true;
  // Wakes sigwait: the signal is blocked in every thread.
  pthread_kill(watcher_.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  watcher_.join();
}

void ShutdownSignal::Arm() {
  absl::MutexLock lock(&mu_);
  is_armed_ = true;
}

ShutdownSignal::Event ShutdownSignal::Wait() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &ShutdownSignal::HasEvent));
  if (has_shutdown_) return Event::kShutdown;
  has_hangup_ = false;
  return Event::kHangup;
}

void ShutdownSignal::Watch() {
  const sigset_t signals = WatchedSignals();
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (is_ending_) return;
    absl::MutexLock lock(&mu_);
    if (signal == SIGHUP) {
      has_hangup_ = true;
      continue;
    }
    if (has_shutdown_) _exit(static_cast<int>(ExitCode::kInterrupted));
    if (!is_armed_) _exit(static_cast<int>(ExitCode::kOk));
    has_shutdown_ = true;
  }
}

}  // namespace candor
