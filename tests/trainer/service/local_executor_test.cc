// SPDX-License-Identifier: Apache-2.0
//
// Scripts take candor-train's place.
#include "trainer/service/local_executor.h"

#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using State = Execution::State;

constexpr absl::Duration kPatience = absl::Seconds(30);

class LocalExecutorTest : public testing::Test {
 protected:
  // A program that says its arguments, then runs `body` in the run's folder ($6).
  std::string Script(const std::string& body) const {
    const std::string path = folder_.File("train");
    WriteContents(path, absl::StrCat("#!/bin/sh\necho \"$@\"\ncd \"$5\"\n", body, "\n"));
    chmod(path.c_str(), 0755);
    return path;
  }
  RunPlace Place() const {
    std::filesystem::create_directories(folder_.File("run"));
    return {folder_.File("run"), 2};
  }
  std::string Log() const { return Contents(folder_.File("run/log.txt")); }

  // What has become of the run once it has ended.
  static Execution AwaitEnd(RunExecutor* executor, const RunPlace& place, const std::string& handle) {
    const absl::Time deadline = absl::Now() + kPatience;
    for (;;) {
      const auto execution = executor->Look(place, handle);
      if (!execution.ok() || execution->state != State::kRunning) return execution.value_or(Execution());
      if (absl::Now() > deadline) {
        ADD_FAILURE() << "it has not ended";
        return *execution;
      }
      absl::SleepFor(absl::Milliseconds(2));
    }
  }
  static void AwaitText(const std::string& path, const std::string& text) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (Contents(path).find(text) == std::string::npos) {
      if (absl::Now() > deadline) FAIL() << path << " has not come to '" << text << "'";
      absl::SleepFor(absl::Milliseconds(2));
    }
  }

  TemporaryFolder folder_;
};

TEST_F(LocalExecutorTest, AStudentAndExitZeroAreTheEnd) {
  LocalExecutor executor(Script("mkdir student && touch student/model.json"), 3);
  const auto handle = executor.Start(Place());
  ASSERT_THAT(handle, IsOk());
  EXPECT_EQ(AwaitEnd(&executor, Place(), *handle).state, State::kDone);
  EXPECT_THAT(Log(), HasSubstr(absl::StrCat("ensemble --config ", Place().folder, "/config.textproto --run ",
                                            Place().folder, " --jobs 3")));
}

TEST_F(LocalExecutorTest, AFailureIsItsLastLine) {
  LocalExecutor executor(Script("echo first\necho 'candor-train: data: no such folder'\nexit 78"), 0);
  const auto handle = executor.Start(Place());
  ASSERT_THAT(handle, IsOk());
  const Execution end = AwaitEnd(&executor, Place(), *handle);
  EXPECT_EQ(end.state, State::kFailed);
  EXPECT_EQ(end.message, "candor-train ended with 78: data: no such folder");
}

TEST_F(LocalExecutorTest, Exit75GoesOn) {
  LocalExecutor executor(Script("exit 75"), 0);
  const auto handle = executor.Start(Place());
  ASSERT_THAT(handle, IsOk());
  EXPECT_EQ(AwaitEnd(&executor, Place(), *handle).state, State::kInterrupted);
}

TEST_F(LocalExecutorTest, AProgramThatIsNotThereIsNamed) {
  LocalExecutor executor(folder_.File("nothing"), 0);
  EXPECT_THAT(executor.Start(Place()), HasStatus(absl::StatusCode::kDataLoss, HasSubstr("nothing")));
}

TEST_F(LocalExecutorTest, StopIsASigterm) {
  LocalExecutor executor(Script("trap 'exit 75' TERM\necho ready\nwhile :; do sleep 0.01; done"), 0);
  const auto handle = executor.Start(Place());
  ASSERT_THAT(handle, IsOk());
  AwaitText(folder_.File("run/log.txt"), "ready");
  EXPECT_EQ(executor.Look(Place(), *handle)->state, State::kRunning);
  executor.Stop(Place(), *handle);
  EXPECT_EQ(AwaitEnd(&executor, Place(), *handle).state, State::kInterrupted);
}

// Another executor is what a service started again has.
TEST_F(LocalExecutorTest, ProcessesOfAServiceBeforeAreFound) {
  LocalExecutor before(Script("trap 'exit 0' TERM\necho ready\nwhile :; do sleep 0.01; done"), 0);
  const auto handle = before.Start(Place());
  ASSERT_THAT(handle, IsOk());
  AwaitText(folder_.File("run/log.txt"), "ready");
  LocalExecutor after("/bin/false", 0);
  EXPECT_EQ(after.Look(Place(), *handle)->state, State::kRunning);
  EXPECT_THAT(after.Start(Place()), HasStatus(absl::StatusCode::kAborted, HasSubstr("waits")));
  after.Stop(Place(), *handle);
  AwaitEnd(&before, Place(), *handle);
  EXPECT_EQ(after.Look(Place(), *handle)->state, State::kInterrupted);
}

// The lock is all its children's too: members may live longer than the program that started them.
TEST_F(LocalExecutorTest, AChildLeftBehindStillCounts) {
  LocalExecutor executor(
      Script("(touch child; while [ ! -e end ]; do sleep 0.01; done) &\nwhile [ ! -e child ]; do sleep 0.01; done"), 0);
  const auto handle = executor.Start(Place());
  ASSERT_THAT(handle, IsOk());
  AwaitText(folder_.File("run/log.txt"), "ensemble");
  const absl::Time deadline = absl::Now() + kPatience;
  while (!std::filesystem::exists(folder_.File("run/child")) && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(2));
  }
  EXPECT_EQ(executor.Look(Place(), *handle)->state, State::kRunning);
  WriteContents(folder_.File("run/end"), "");
  EXPECT_EQ(AwaitEnd(&executor, Place(), *handle).state, State::kFailed);  // no student
}

// Process numbers are used again: with another start time it is another process, which is left alone.
TEST_F(LocalExecutorTest, AStrangerIsNotStopped) {
  LocalExecutor executor(Script("trap 'touch hit' TERM\necho ready\nwhile [ ! -e end ]; do sleep 0.01; done"), 0);
  const auto handle = executor.Start(Place());
  ASSERT_THAT(handle, IsOk());
  AwaitText(folder_.File("run/log.txt"), "ready");
  executor.Stop(Place(), absl::StrCat(handle->substr(0, handle->find(' ')), " 1"));
  WriteContents(folder_.File("run/end"), "");
  AwaitEnd(&executor, Place(), *handle);
  EXPECT_FALSE(std::filesystem::exists(folder_.File("run/hit")));
}

}  // namespace
}  // namespace candor
