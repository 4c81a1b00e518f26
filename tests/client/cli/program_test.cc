// SPDX-License-Identifier: Apache-2.0
//
// The program as a process of its own: signals and exit codes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/client/cli/run_candor.h"
#include "tests/client/fake_service.h"

namespace candor {
namespace {

// Starts candor with its output going to `out` (a path).
pid_t Start(std::vector<std::string> arguments, const std::string& out) {
  arguments.insert(arguments.begin(), CANDOR_PROGRAM);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t pid = -1;
  EXPECT_EQ(posix_spawn(&pid, CANDOR_PROGRAM, &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int ExitCodeOf(pid_t pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST(CandorProgramTest, EndsWith130AtOnceWhenInterrupted) {
  absl::Notification arrived;
  absl::Notification release;
  const FakeServer server([&](const v1::SegmentRequest&, v1::SegmentResponse*) {
    arrived.Notify();
    release.WaitForNotification();
    return grpc::Status::OK;
  });
  const TempFolder folder;
  const pid_t pid = Start({"segment", folder.AddPicture("a.png"), "--server", server.address()}, folder.path("stdout"));
  arrived.WaitForNotification();
  kill(pid, SIGINT);
  EXPECT_EQ(ExitCodeOf(pid), 130);
  release.Notify();
}

TEST(CandorProgramTest, WritesDataToStandardOutput) {
  const FakeServer server;
  const TempFolder folder;
  EXPECT_EQ(ExitCodeOf(Start({"health", "--server", server.address()}, folder.path("stdout"))), 0);
  EXPECT_EQ(folder.Read("stdout"), "SERVING\n");
}

TEST(CandorProgramTest, EndsWith74OnAFullDisk) {
  const FakeServer server;
  EXPECT_EQ(ExitCodeOf(Start({"health", "--server", server.address()}, "/dev/full")), 74);
}

}  // namespace
}  // namespace candor
