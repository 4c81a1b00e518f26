// SPDX-License-Identifier: Apache-2.0
//
// candor-train as a user and a cluster run it: killed, stopped, with a full disk, from nothing to a student that
// serves.
#include "tests/integration/training_programs.h"

#include <signal.h>

#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr char kServer[] = CANDOR_BIN_DIR "/candor-server";
constexpr absl::Duration kPatience = absl::Seconds(120);

class TrainingProgramsTest : public TrainingPrograms {
 protected:
  std::set<std::string> CheckpointsOf(const std::string& run) const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(MemberFolder(run))) {
      const std::string name = entry.path().filename().string();
      if (absl::StartsWith(name, "checkpoint-")) names.insert(name);
    }
    return names;
  }

  // The last step in the run's log, 0 if there is none.
  int64_t LastStep(const std::string& run) const {
    int64_t step = 0;
    for (const auto line : absl::StrSplit(Contents(MemberFolder(run) + "/events.jsonl"), '\n')) {
      const auto event = nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
      if (event.is_object() && event.value("event", "") == "step") step = event.value("step", int64_t{0});
    }
    return step;
  }

  // Returns once the run's log has come to `step`. Test failure if it does not within kPatience.
  void AwaitStep(const std::string& run, int64_t step) const {
    const absl::Time deadline = absl::Now() + kPatience;
    while (LastStep(run) < step) {
      if (absl::Now() > deadline) {
        ADD_FAILURE() << run << " has not come to step " << step;
        return;
      }
      std::this_thread::yield();
    }
  }

  // Trains member 0 in one go and returns its weights' bytes.
  std::string Uninterrupted() const {
    const Finished done = RunProgram(Member("whole"));
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(done.out, MemberFolder("whole") + "/model\n");
    return WeightsOf("whole");
  }

  // Starts member 0 of `run`, signals it at `step` and waits for its end.
  Finished SignalledAt(const std::string& run, int64_t step, int signal) const {
    Subprocess program(Member(run));
    AwaitStep(run, step);
    program.Signal(signal);
    return program.Wait();
  }
};

TEST_F(TrainingProgramsTest, KilledAgainAndAgainItEndsWithTheSameBits) {
  const std::string whole = Uninterrupted();
  ASSERT_NE(whole, "");
  for (const int64_t step : {1, 6, 9, 13, 21, 33}) SignalledAt("killed", step, SIGKILL);
  const Finished done = RunProgram(Member("killed"));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(WeightsOf("killed") == whole);
  // Every step is there once, in order.
  std::vector<int64_t> steps;
  for (const auto line : absl::StrSplit(Contents(MemberFolder("killed") + "/events.jsonl"), '\n', absl::SkipEmpty())) {
    const auto event = nlohmann::json::parse(line.begin(), line.end());
    if (event["event"] == "step") steps.push_back(event["step"]);
  }
  ASSERT_EQ(steps.size(), 40u);
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i], static_cast<int64_t>(i) + 1);
}

TEST_F(TrainingProgramsTest, SigtermSavesEndsWith75AndGoesOn) {
  const std::string whole = Uninterrupted();
  const Finished stopped = SignalledAt("run", 2, SIGTERM);
  EXPECT_EQ(stopped.exit_code, CodeOf(ExitCode::kTemporary)) << stopped.err;
  EXPECT_EQ(stopped.out, "");
  EXPECT_FALSE(CheckpointsOf("run").empty());
  const Finished done = RunProgram(Member("run"));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(WeightsOf("run") == whole);
}

TEST_F(TrainingProgramsTest, CtrlCIsExit130) {
  const Finished stopped = SignalledAt("run", 1, SIGINT);
  EXPECT_EQ(stopped.exit_code, CodeOf(ExitCode::kInterrupted)) << stopped.err;
  EXPECT_FALSE(CheckpointsOf("run").empty());
}

TEST_F(TrainingProgramsTest, AFullDiskIsExit74AndTheLastCheckpointStays) {
  const std::string whole = Uninterrupted();
  ASSERT_EQ(SignalledAt("run", 2, SIGTERM).exit_code, CodeOf(ExitCode::kTemporary));
  const std::set<std::string> before = CheckpointsOf("run");
  ASSERT_FALSE(before.empty());
  // 100 blocks of 512 bytes: enough for the log, not for a checkpoint.
  const std::string limited =
      absl::StrCat("trap '' XFSZ; ulimit -f 100; exec '", absl::StrJoin(Member("run"), "' '"), "'");
  const Finished full = RunProgram({"/bin/sh", "-c", limited});
  EXPECT_EQ(full.exit_code, CodeOf(ExitCode::kIo)) << full.err;
  EXPECT_THAT(full.err, HasSubstr("checkpoint-"));
  EXPECT_EQ(CheckpointsOf("run"), before);
  const Finished done = RunProgram(Member("run"));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(WeightsOf("run") == whole);
}

TEST_F(TrainingProgramsTest, WrongConfigurationsAndFlagsHaveTheirCodes) {
  const struct {
    std::vector<std::string> more;
    ExitCode code;
    const char* message;
  } cases[] = {
      {{"--index", "0", "--set", "epochs: 0"}, ExitCode::kConfiguration, "epochs: must be in [1, 100000], got 0"},
      {{"--index", "0", "--set", "epoch: 1"}, ExitCode::kConfiguration, "epoch"},
      {{"--index", "0", "--set", "train_split: 'night'"}, ExitCode::kConfiguration, "night"},
      {{"--index", "0", "--set", "data: 'folder:/no/such/data'"}, ExitCode::kIo, "/no/such/data"},
      {{"--index", "2"}, ExitCode::kUsage, "--index: must be in [0, 1]"},
      {{}, ExitCode::kUsage, "SLURM_ARRAY_TASK_ID"},
      {{"--nonsense"}, ExitCode::kUsage, "--nonsense"},
      {{"--index", "0", "--metrics-listen", "nowhere"}, ExitCode::kUnavailable, "nowhere"},
  };
  for (const auto& c : cases) {
    const Finished done = RunProgram(Command("member", "run", c.more));
    EXPECT_EQ(done.exit_code, CodeOf(c.code)) << absl::StrJoin(c.more, " ") << "\n" << done.err;
    EXPECT_THAT(done.err, HasSubstr(c.message));
    EXPECT_EQ(done.out, "");
  }
}

TEST_F(TrainingProgramsTest, AnotherConfigurationForARunIsExit78) {
  ASSERT_EQ(SignalledAt("run", 1, SIGTERM).exit_code, CodeOf(ExitCode::kTemporary));
  const Finished done = RunProgram(Command("member", "run", {"--index", "0", "--set", "epochs: 11"}));
  EXPECT_EQ(done.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(done.err, HasSubstr("epochs: the run began with \"10\", now it is \"11\""));
}

TEST_F(TrainingProgramsTest, ASchedulersIndexIsTaken) {
  std::vector<std::string> argv = {"/usr/bin/env", "SLURM_ARRAY_TASK_ID=1"};
  const std::vector<std::string> command = Command("member", "run", {"--set", "epochs: 1"});
  argv.insert(argv.end(), command.begin(), command.end());
  const Finished done = RunProgram(argv);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.out, folder_.File("run/members/1/model\n"));
}

TEST_F(TrainingProgramsTest, AnEnsembleAndItsStudentAreTrainedAndServe) {
  const Finished done = RunProgram(Command("ensemble", "run", {"--of", "2", "--set", "epochs: 2"}));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const std::string teacher = folder_.File("run/teacher");
  const std::string student = folder_.File("run/student");
  EXPECT_EQ(done.out, absl::StrCat(teacher, "\n", student, "\n"));
  for (const char* member : {"run/members/0", "run/members/1"}) {
    EXPECT_TRUE(fs::exists(folder_.File(member) + "/log.txt"));
    EXPECT_TRUE(fs::exists(folder_.File(member) + "/events.jsonl"));
  }
  const Finished check = RunProgram({kServer, "--check-config", "--bundle", teacher, "--bundle", student});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  // The same command again has nothing left to do.
  const std::string weights = Contents(student + "/model.safetensors");
  EXPECT_EQ(RunProgram(Command("ensemble", "run", {"--of", "2", "--set", "epochs: 2"})).exit_code, 0);
  EXPECT_EQ(Contents(student + "/model.safetensors"), weights);
}

TEST_F(TrainingProgramsTest, AnEnsembleThatIsStoppedStopsItsMembersAndGoesOn) {
  const std::string whole = Uninterrupted();
  Subprocess program(Command("ensemble", "run", {"--jobs", "1"}));
  AwaitStep("run", 2);
  program.Signal(SIGTERM);
  const Finished stopped = program.Wait();
  EXPECT_EQ(stopped.exit_code, CodeOf(ExitCode::kTemporary)) << stopped.err;
  EXPECT_FALSE(CheckpointsOf("run").empty());
  const Finished done = RunProgram(Command("ensemble", "run", {"--jobs", "1"}));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(WeightsOf("run") == whole);
}

TEST_F(TrainingProgramsTest, DistillWithoutItsMembersIsExit78) {
  const Finished done = RunProgram(Command("distill", "run"));
  EXPECT_EQ(done.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(done.err, HasSubstr("members 0, 1 of 2 are not finished"));
}

}  // namespace
}  // namespace candor
