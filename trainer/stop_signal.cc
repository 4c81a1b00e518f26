// SPDX-License-Identifier: Apache-2.0
#include "trainer/stop_signal.h"

#include <signal.h>

#include <atomic>

namespace candor {
namespace {

// A signal handler can reach nothing but globals.
std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void NoteSignal(int number) { received.store(number); }

}  // namespace

void CatchStopSignals() {
  struct sigaction action = {};
  action.sa_handler = NoteSignal;
  // After the first one the system's own action is back.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

bool StopRequested() { return received.load() != 0; }

ExitCode StopExitCode() { return received.load() == SIGINT ? ExitCode::kInterrupted : ExitCode::kTemporary; }

}  // namespace candor
