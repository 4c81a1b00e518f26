// SPDX-License-Identifier: Apache-2.0
//
// Signals belong to the whole process: each case is a process of its own.
#include "trainer/stop_signal.h"

#include <signal.h>

#include <cstdlib>

#include "gtest/gtest.h"

namespace candor {
namespace {

// Ends with StopExitCode() if the signal is noted, else with 1.
void SendMyself(int number) {
  CatchStopSignals();
  if (StopRequested()) std::exit(1);
  raise(number);
  std::exit(StopRequested() ? static_cast<int>(StopExitCode()) : 1);
}

TEST(StopSignalDeathTest, SigtermIsTemporary) { EXPECT_EXIT(SendMyself(SIGTERM), testing::ExitedWithCode(75), ""); }

TEST(StopSignalDeathTest, SigintIsInterrupted) { EXPECT_EXIT(SendMyself(SIGINT), testing::ExitedWithCode(130), ""); }

TEST(StopSignalDeathTest, TheSecondOneEndsTheProcess) {
  EXPECT_EXIT(
      {
        CatchStopSignals();
        raise(SIGTERM);
        raise(SIGTERM);
      },
      testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace candor
