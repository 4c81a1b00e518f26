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

void ShutdownSignal::Watch() {
  const sigset_t signals = WatchedSignals();
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (is_ending_) return;
    if (received_.HasBeenNotified()) _exit(static_cast<int>(ExitCode::kInterrupted));
    absl::MutexLock lock(&mu_);
    if (!is_armed_) _exit(static_cast<int>(ExitCode::kOk));
    received_.Notify();
  }
}

}  // namespace candor
