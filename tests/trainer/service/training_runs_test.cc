// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/training_runs.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/trainer/service/fake_executor.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;

constexpr absl::Duration kPatience = absl::Seconds(30);

class TrainingRunsTest : public testing::Test {
 protected:
  TrainingRunsTest() { Open(); }

  void Open(int at_once = 1, bool outlives_service = true, int most_waiting = 3) {
    runs_.reset();
    RunsOptions options;
    options.folder = folder_.path();
    options.at_once = at_once;
    options.most_waiting = most_waiting;
    options.poll = absl::Milliseconds(2);
    auto runs = TrainingRuns::Open(options, std::make_unique<FakeExecutor>(&script_, outlives_service));
    ASSERT_THAT(runs, IsOk());
    runs_ = *std::move(runs);
  }

  std::string Folder(const std::string& name) const {
    return std::filesystem::canonical(folder_.path()).string() + "/" + name;
  }
  void Create(const std::string& name) { ASSERT_THAT(runs_->Create(name, "data: 'x'", 2), IsOk()); }
  void Say(const std::string& name, Execution::State state, const std::string& message = "") {
    script_.Say(Folder(name), {state, message});
  }

  // The run once it is in `state`, after `starts` starts. Test failure if it does not come to that.
  RunRecord Await(const std::string& name, RunState state, int starts = 0) {
    const absl::Time deadline = absl::Now() + kPatience;
    int64_t seen = -1;
    for (;;) {
      const auto view = runs_->AwaitChange(name, seen, deadline - absl::Now());
      if (!view.ok()) return RunRecord();
      if (view->record.state == state && view->record.starts >= starts) return view->record;
      if (absl::Now() > deadline) {
        ADD_FAILURE() << name << " is " << NameOf(view->record.state) << ", not " << NameOf(state);
        return view->record;
      }
      seen = view->revision;
    }
  }

  TemporaryFolder folder_;
  ExecutorScript script_;
  std::unique_ptr<TrainingRuns> runs_;
};

TEST_F(TrainingRunsTest, ARunStartsAndSucceeds) {
  Create("street");
  const RunRecord running = Await("street", RunState::kRunning);
  EXPECT_EQ(running.starts, 1);
  EXPECT_GT(running.start_time_ms, 0);
  EXPECT_EQ(running.end_time_ms, 0);
  EXPECT_EQ(Contents(Folder("street") + "/config.textproto"), "data: 'x'");
  Say("street", Execution::State::kDone);
  const RunRecord done = Await("street", RunState::kSucceeded);
  EXPECT_GE(done.end_time_ms, done.start_time_ms);
  EXPECT_EQ(done.handle, "");
  EXPECT_THAT(script_.started(), SizeIs(1));
}

TEST_F(TrainingRunsTest, AFailureSaysWhyAndCanBeResumed) {
  Create("street");
  Await("street", RunState::kRunning);
  Say("street", Execution::State::kFailed, "data: no such folder");
  EXPECT_EQ(Await("street", RunState::kFailed).message, "data: no such folder");
  ASSERT_THAT(runs_->Resume("street"), IsOk());
  const RunRecord again = Await("street", RunState::kRunning);
  EXPECT_EQ(again.starts, 2);
  EXPECT_EQ(again.message, "");
  EXPECT_EQ(again.end_time_ms, 0);
}

TEST_F(TrainingRunsTest, OneAfterTheOther) {
  Create("a");
  Await("a", RunState::kRunning);
  Create("b");
  Create("c");
  Say("a", Execution::State::kDone);
  Await("b", RunState::kRunning);
  EXPECT_EQ(runs_->Get("c")->record.state, RunState::kQueued);
  Say("b", Execution::State::kFailed);
  Await("c", RunState::kRunning);
  EXPECT_THAT(script_.started(), ElementsAre(HasSubstr("/a#"), HasSubstr("/b#"), HasSubstr("/c#")));
}

TEST_F(TrainingRunsTest, AnInterruptionGoesOnButNotForever) {
  Create("street");
  Await("street", RunState::kRunning);
  for (int start = 2; start <= 3; ++start) {
    Say("street", Execution::State::kInterrupted, "out of memory");
    Await("street", RunState::kRunning, start);
  }
  Say("street", Execution::State::kInterrupted, "out of memory");
  EXPECT_THAT(Await("street", RunState::kFailed).message, AllOf(HasSubstr("3 times"), HasSubstr("out of memory")));
}

TEST_F(TrainingRunsTest, StepsInBetweenMakeAnInterruptionHarmless) {
  Create("street");
  std::filesystem::create_directories(Folder("street") + "/members/0");
  for (int start = 1; start <= 5; ++start) {
    Await("street", RunState::kRunning, start);
    std::ofstream(Folder("street") + "/members/0/events.jsonl", std::ios::app)
        << "{\"step\":" << start << ",\"steps\":10}\n";
    Say("street", Execution::State::kInterrupted);
  }
  Await("street", RunState::kRunning, 6);
}

TEST_F(TrainingRunsTest, AFolderInUseIsWaitedFor) {
  script_.RefuseStart(absl::AbortedError("waits for processes"));
  Create("street");
  EXPECT_EQ(Await("street", RunState::kRunning).starts, 1);
}

TEST_F(TrainingRunsTest, WhatCannotStartHasFailed) {
  script_.RefuseStart(absl::DataLossError("candor-train: no such file"));
  Create("street");
  EXPECT_EQ(Await("street", RunState::kFailed).message, "candor-train: no such file");
}

TEST_F(TrainingRunsTest, CancelsARunningAndAQueuedRun) {
  Create("a");
  Await("a", RunState::kRunning);
  Create("b");
  EXPECT_EQ(runs_->Cancel("b")->record.state, RunState::kCancelled);
  ASSERT_THAT(runs_->Cancel("a"), IsOk());
  Await("a", RunState::kCancelled);
  EXPECT_THAT(script_.stopped(), ElementsAre(EndsWith("/a#0")));
  EXPECT_THAT(runs_->Cancel("a"), HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("cancelled")));
}

TEST_F(TrainingRunsTest, ARunThatIsDoneBeforeItStopsHasSucceeded) {
  Create("street");
  Await("street", RunState::kRunning);
  Say("street", Execution::State::kDone);
  Await("street", RunState::kSucceeded);
  EXPECT_THAT(runs_->Resume("street"), HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("succeeded")));
}

TEST_F(TrainingRunsTest, RefusesWhatItCannotTake) {
  Create("street");
  EXPECT_THAT(runs_->Create("street", "", 2), HasStatus(absl::StatusCode::kAlreadyExists, HasSubstr("street")));
  EXPECT_THAT(runs_->Get("nobody"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("nobody")));
  EXPECT_THAT(runs_->Cancel("nobody"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("nobody")));
  Await("street", RunState::kRunning);
  for (const char* name : {"a", "b", "c"}) Create(name);
  EXPECT_THAT(runs_->Create("d", "", 2), HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("3")));
  EXPECT_FALSE(std::filesystem::exists(Folder("d")));
}

TEST_F(TrainingRunsTest, ProgressIsThatOfTheLogs) {
  Create("street");
  Await("street", RunState::kRunning);
  std::filesystem::create_directories(Folder("street") + "/members/1");
  WriteContents(Folder("street") + "/members/1/events.jsonl", "{\"step\":30,\"steps\":40,\"loss\":0.25}\n");
  const absl::Time deadline = absl::Now() + kPatience;
  while (runs_->Get("street")->ShareDone() == 0 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
  const RunView view = *runs_->Get("street");
  ASSERT_EQ(view.trainings.size(), 3u);  // two members and the student
  EXPECT_EQ(view.trainings[1].step, 30);
  EXPECT_EQ(view.trainings[1].loss, 0.25);
  EXPECT_DOUBLE_EQ(view.ShareDone(), 0.25);
}

TEST_F(TrainingRunsTest, ANewServiceGoesOnWithWhatRuns) {
  Create("a");
  Await("a", RunState::kRunning);
  Create("b");
  Open();
  EXPECT_EQ(Await("a", RunState::kRunning).starts, 1);  // it was not started again
  EXPECT_THAT(script_.stopped(), SizeIs(0));
  Say("a", Execution::State::kDone);
  Await("a", RunState::kSucceeded);
  Await("b", RunState::kRunning);
}

TEST_F(TrainingRunsTest, WhatCannotOutliveTheServiceIsStoppedAndStartedAgain) {
  Open(1, /*outlives_service=*/false);
  Create("a");
  Await("a", RunState::kRunning);
  Open(1, /*outlives_service=*/false);
  EXPECT_THAT(script_.stopped(), SizeIs(1));
  Say("a", Execution::State::kRunning);
  EXPECT_EQ(Await("a", RunState::kRunning).starts, 2);
}

TEST_F(TrainingRunsTest, ADamagedRecordIsNamed) {
  Create("street");
  Await("street", RunState::kRunning);
  runs_.reset();
  WriteContents(Folder("street") + "/run.json", "{");
  EXPECT_THAT(TrainingRuns::Open({folder_.path()}, std::make_unique<FakeExecutor>(&script_)),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("street/run.json")));
}

}  // namespace
}  // namespace candor
