// SPDX-License-Identifier: Apache-2.0
//
// With shell scripts that note in files what happens to them.
#include "trainer/training/process_pool.h"

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ProcessPoolTest : public testing::Test {
 protected:
  ProcessPoolTest() {
    options_.stop_requested = [] { return false; };
    options_.on_change = [this](const std::string& text) {
      if (!text.empty()) told_.push_back(text);
    };
  }

  // Runs `script` with $0 the process's own file, to count in. Each start appends an x to it.
  void Add(const std::string& name, const std::string& script) {
    processes_.push_back({name, {"/bin/sh", "-c", "printf x >> $0; " + script, folder_.File(name)}, LogOf(name)});
  }

  std::string LogOf(const std::string& name) const { return folder_.File(name + ".log"); }
  size_t StartsOf(const std::string& name) const { return Contents(folder_.File(name)).size(); }

  TemporaryFolder folder_;
  std::vector<ProcessSpec> processes_;
  PoolOptions options_;
  std::vector<std::string> told_;
};

TEST_F(ProcessPoolTest, NoProcessesAreDone) { EXPECT_THAT(RunProcesses({}, options_), IsOk()); }

TEST_F(ProcessPoolTest, AllAreRunInOrder) {
  for (const char* name : {"a", "b", "c"}) Add(name, "exit 0");
  ASSERT_THAT(RunProcesses(processes_, options_), IsOk());
  EXPECT_THAT(told_, ElementsAre("a started", "a done", "b started", "b done", "c started", "c done"));
}

TEST_F(ProcessPoolTest, OutputAndErrorsAreAppendedToTheLog) {
  WriteContents(LogOf("a"), "before\n");
  Add("a", "echo out; echo err >&2; cat");  // standard input is empty
  ASSERT_THAT(RunProcesses(processes_, options_), IsOk());
  EXPECT_EQ(Contents(LogOf("a")), "before\nout\nerr\n");
}

TEST_F(ProcessPoolTest, OnlyWhatFailedIsTriedAgain) {
  Add("steady", "exit 0");
  Add("shaky", "test $(wc -c < $0) = 3");
  ASSERT_THAT(RunProcesses(processes_, options_), IsOk());
  EXPECT_EQ(StartsOf("steady"), 1u);
  EXPECT_EQ(StartsOf("shaky"), 3u);
}

TEST_F(ProcessPoolTest, AttemptsRunOutAndTheOthersGoOn) {
  Add("bad", "exit 9");
  Add("good", "exit 0");
  EXPECT_THAT(RunProcesses(processes_, options_),
              HasStatus(StatusCode::kUnknown,
                        AllOf(HasSubstr("bad failed with 9"), HasSubstr(LogOf("bad")), Not(HasSubstr("good")))));
  EXPECT_EQ(StartsOf("bad"), 3u);
  EXPECT_EQ(StartsOf("good"), 1u);
}

TEST_F(ProcessPoolTest, ASignalIsAFailure) {
  options_.attempts = 2;
  Add("killed", "kill -9 $$");
  EXPECT_THAT(RunProcesses(processes_, options_), HasStatus(StatusCode::kUnknown, HasSubstr("killed failed with 137")));
  EXPECT_EQ(StartsOf("killed"), 2u);
}

TEST_F(ProcessPoolTest, BadConfigurationAndUsageAreNotTriedAgain) {
  Add("configuration", "exit 78");
  Add("usage", "exit 2");
  EXPECT_THAT(RunProcesses(processes_, options_),
              HasStatus(StatusCode::kFailedPrecondition,
                        AllOf(HasSubstr("configuration failed with 78"), HasSubstr("usage failed with 2"))));
  EXPECT_EQ(StartsOf("configuration"), 1u);
  EXPECT_EQ(StartsOf("usage"), 1u);
}

TEST_F(ProcessPoolTest, AFailureForGoodTellsWhatTheProcessSaidLast) {
  Add("wrong", "echo working; echo 'width: must be a multiple of 4' >&2; exit 78");
  Add("silent", "exit 78");
  EXPECT_THAT(RunProcesses(processes_, options_),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("): width: must be a multiple of 4; silent")));
  EXPECT_THAT(told_, ElementsAre("wrong started", "wrong failed with 78 for good: width: must be a multiple of 4",
                                 "silent started", "silent failed with 78 for good"));
}

TEST_F(ProcessPoolTest, WhatAsksToBeStartedAgainIsNotCounted) {
  options_.attempts = 1;
  Add("patient", "test $(wc -c < $0) = 5 || exit 75");
  ASSERT_THAT(RunProcesses(processes_, options_), IsOk());
  EXPECT_EQ(StartsOf("patient"), 5u);
}

// Each of the two waits until the other has begun.
TEST_F(ProcessPoolTest, AsManyRunAtOnceAsAreAllowed) {
  options_.at_most = 2;
  const auto wait_for = [&](const std::string& other) {
    return absl::StrCat("until test -e ", folder_.File(other), "; do :; done");
  };
  Add("a", wait_for("b"));
  Add("b", wait_for("a"));
  EXPECT_THAT(RunProcesses(processes_, options_), IsOk());
}

TEST_F(ProcessPoolTest, NeverMoreRunAtOnceThanAreAllowed) {
  options_.at_most = 2;
  int running = 0;
  int most = 0;
  options_.on_change = [&](const std::string& text) {
    if (text.empty()) return;
    running += text.find("started") != std::string::npos ? 1 : -1;
    most = std::max(most, running);
  };
  for (const char* name : {"a", "b", "c", "d", "e"}) Add(name, "exit 0");
  ASSERT_THAT(RunProcesses(processes_, options_), IsOk());
  EXPECT_EQ(most, 2);
}

TEST_F(ProcessPoolTest, StoppingEndsEveryProcessInGoodOrder) {
  options_.at_most = 2;
  for (const char* name : {"a", "b", "c"}) {
    Add(name, "trap 'echo saved; exit 75' TERM; echo ready > $0.ready; while :; do sleep 0.01; done");
  }
  options_.stop_requested = [&] {
    return std::filesystem::exists(folder_.File("a.ready")) && std::filesystem::exists(folder_.File("b.ready"));
  };
  EXPECT_THAT(RunProcesses(processes_, options_), HasStatus(StatusCode::kAborted, HasSubstr("start it again")));
  // Both have ended: what they wrote last is there. The third was never begun.
  EXPECT_EQ(Contents(LogOf("a")), "saved\n");
  EXPECT_EQ(Contents(LogOf("b")), "saved\n");
  EXPECT_EQ(StartsOf("c"), 0u);
}

TEST_F(ProcessPoolTest, ALogFileThatCannotBeWrittenIsDataLoss) {
  Add("a", "exit 0");
  processes_[0].log_file = folder_.File("missing/a.log");
  EXPECT_THAT(RunProcesses(processes_, options_), HasStatus(StatusCode::kDataLoss, HasSubstr("missing/a.log")));
}

TEST_F(ProcessPoolTest, AProgramThatIsNotThereIsNamed) {
  processes_.push_back({"a", {"/no/such/program"}, LogOf("a")});
  EXPECT_THAT(RunProcesses(processes_, options_), HasStatus(StatusCode::kDataLoss, HasSubstr("/no/such/program")));
}

}  // namespace
}  // namespace candor
