// SPDX-License-Identifier: Apache-2.0
#include "server/shutdown_signal.h"

#include <signal.h>
#include <unistd.h>

#include "gmock/gmock.h"

namespace candor {
namespace {

using testing::ExitedWithCode;

// Each test runs in a process of its own, since signals concern the whole process.
class ShutdownSignalDeathTest : public testing::Test {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(ShutdownSignalDeathTest, WaitReturnsAfterEitherSignal) {
  for (int signal : {SIGTERM, SIGINT}) {
    EXPECT_EXIT(
        {
          ShutdownSignal shutdown;
          shutdown.Arm();
          kill(getpid(), signal);
          shutdown.Wait();
          _exit(42);
        },
        ExitedWithCode(42), "");
  }
}

TEST_F(ShutdownSignalDeathTest, ASecondSignalExitsWith130) {
  EXPECT_EXIT(
      {
        ShutdownSignal shutdown;
        shutdown.Arm();
        kill(getpid(), SIGTERM);
        shutdown.Wait();
        kill(getpid(), SIGINT);
        for (;;) pause();
      },
      ExitedWithCode(130), "");
}

TEST_F(ShutdownSignalDeathTest, AHangupIsAnEventOfItsOwnAndMayComeBeforeArm) {
  EXPECT_EXIT(
      {
        ShutdownSignal shutdown;
        kill(getpid(), SIGHUP);
        if (shutdown.Wait() != ShutdownSignal::Event::kHangup) _exit(1);
        shutdown.Arm();
        kill(getpid(), SIGHUP);
        if (shutdown.Wait() != ShutdownSignal::Event::kHangup) _exit(2);
        kill(getpid(), SIGTERM);
        if (shutdown.Wait() != ShutdownSignal::Event::kShutdown) _exit(3);
        kill(getpid(), SIGHUP);
        if (shutdown.Wait() != ShutdownSignal::Event::kShutdown) _exit(4);
        _exit(42);
      },
      ExitedWithCode(42), "");
}

TEST_F(ShutdownSignalDeathTest, ASignalBeforeThereIsAnythingToDrainExitsWithZero) {
  EXPECT_EXIT(
      {
        ShutdownSignal shutdown;
        kill(getpid(), SIGTERM);
        for (;;) pause();
      },
      ExitedWithCode(0), "");
}

TEST_F(ShutdownSignalDeathTest, EndsByItselfWithoutASignal) {
  EXPECT_EXIT(
      {
        {
          ShutdownSignal shutdown;
          shutdown.Arm();
        }
        _exit(42);
      },
      ExitedWithCode(42), "");
}

}  // namespace
}  // namespace candor
