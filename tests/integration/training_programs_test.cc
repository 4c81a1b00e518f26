// SPDX-License-Identifier: Apache-2.0
//
// candor-train as a user and a cluster run it: killed, stopped, with a full disk, from nothing to a student that
// serves.
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
#include "core/base/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/subprocess.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_dataset.h"

namespace candor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr char kTrain[] = CANDOR_BIN_DIR "/candor-train";
constexpr char kServer[] = CANDOR_BIN_DIR "/candor-server";
constexpr absl::Duration kPatience = absl::Seconds(120);

int CodeOf(ExitCode code) { return static_cast<int>(code); }

// Ten epochs of four steps, validated every other epoch, each step in the log.
class TrainingProgramsTest : public testing::Test {
 protected:
  TrainingProgramsTest() {
    WriteTinyDataset(folder_.File("data"));
    WriteContents(Config(),
                  absl::StrCat("data: 'folder:", folder_.File("data"),
                               "' width: 4 crop: 32 batch_size: 2 epochs: 10 validate_every: 2 precision: 'fp32' "
                               "store: 'fp32' members: 2 device: 'cpu' log_every_steps: 1"));
  }

  std::string Config() const { return folder_.File("trainer.textproto"); }

  std::vector<std::string> Command(const std::string& name, const std::string& run,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> argv = {kTrain, name, "--config", Config(), "--run", folder_.File(run), "--threads", "1"};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  std::vector<std::string> Member(const std::string& run) const { return Command("member", run, {"--index", "0"}); }

  std::string MemberFolder(const std::string& run) const { return folder_.File(run + "/members/0"); }
  std::string WeightsOf(const std::string& run) const {
    return Contents(MemberFolder(run) + "/model/model.safetensors");
  }

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

  TemporaryFolder folder_;
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

TEST_F(TrainingProgramsTest, AMemberOfSeveralPredictionsTeachesAndServes) {
  for (const std::string method : {"bayes", "batch_ensemble"}) {
    const std::vector<std::string> set = {"--set", absl::StrCat("member_method: '", method, "' passes: 2 epochs: 1")};
    const auto with = [&set](std::vector<std::string> more) {
      more.insert(more.end(), set.begin(), set.end());
      return more;
    };
    const Finished refused = RunProgram(Command("ensemble", method, set));
    EXPECT_EQ(refused.exit_code, CodeOf(ExitCode::kConfiguration));
    EXPECT_THAT(refused.err, HasSubstr("member_method: must be plain for an ensemble"));
    const Finished trained = RunProgram(Command("member", method, with({"--index", "0"})));
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    const std::string teacher = MemberFolder(method) + "/model";
    EXPECT_EQ(trained.out, teacher + "\n");
    const Finished distilled = RunProgram(Command("distill", method, with({"--teacher", teacher})));
    ASSERT_EQ(distilled.exit_code, 0) << distilled.err;
    const std::string student = folder_.File(method + "/student");
    EXPECT_EQ(distilled.out, student + "\n");
    const Finished check = RunProgram({kServer, "--check-config", "--bundle", teacher, "--bundle", student});
    EXPECT_EQ(check.exit_code, 0) << check.err;
    const Finished scored =
        RunProgram({kTrain, "evaluate", "--bundle", teacher, "--data", absl::StrCat("folder:", folder_.File("data")),
                    "--split", "val", "--out", folder_.File(method + ".json")});
    ASSERT_EQ(scored.exit_code, 0) << scored.err;
    EXPECT_THAT(Contents(folder_.File(method + ".json")), HasSubstr("mutual_information"));
  }
}

TEST_F(TrainingProgramsTest, FittedHeadsAndAnObserverAreMadeAndServe) {
  const std::string data = "folder:" + folder_.File("data");
  const std::vector<std::string> epochs = {"--index", "0", "--set", "epochs: 2"};
  ASSERT_EQ(RunProgram(Command("member", "plain", epochs)).exit_code, 0);
  const std::string plain = MemberFolder("plain") + "/model";
  const auto fit = [&](const std::string& method, const std::vector<std::string>& more) {
    std::vector<std::string> argv = {kTrain,   "fit", "--method", method, "--bundle", plain,
                                     "--data", data,  "--device", "cpu",  "--out",    folder_.File(method)};
    argv.insert(argv.end(), more.begin(), more.end());
    return RunProgram(argv);
  };
  const Finished energy = fit("energy", {});
  ASSERT_EQ(energy.exit_code, 0) << energy.err;
  EXPECT_EQ(energy.out, folder_.File("energy") + "\n");
  ASSERT_EQ(fit("feature_density", {"--components", "4"}).exit_code, 0);
  const Finished wrong = fit("energy", {"--components", "4"});
  EXPECT_EQ(wrong.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(wrong.err, HasSubstr("are of feature_density, method is energy"));

  std::vector<std::string> dropped = epochs;
  dropped.insert(dropped.end(), {"--set", "dropout: 0.3 dropout_passes: 3"});
  ASSERT_EQ(RunProgram(Command("member", "dropped", dropped)).exit_code, 0);
  const Finished distilled = RunProgram(
      Command("distill", "dropped",
              {"--set", "student_method: 'observer' epochs: 2", "--teacher", MemberFolder("dropped") + "/model"}));
  ASSERT_EQ(distilled.exit_code, 0) << distilled.err;
  const std::string observer = folder_.File("dropped/student");
  const Finished calibrated = RunProgram({kTrain, "calibrate", "--bundle", observer, "--data", data, "--error-rate",
                                          "0.9", "--reject-error-rate", "0.99", "--device", "cpu"});
  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.err;
  EXPECT_THAT(calibrated.out, HasSubstr("mean disagreement"));

  const Finished check = RunProgram({kServer, "--check-config", "--bundle", folder_.File("energy"), "--bundle",
                                     folder_.File("feature_density"), "--bundle", observer});
  EXPECT_EQ(check.exit_code, 0) << check.err;
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

TEST_F(TrainingProgramsTest, ASubEnsembleTrainsItsFirstMemberFirstAndServes) {
  const std::vector<std::string> shared = {"--set", "epochs: 2 shared_encoder: true members: 3"};
  std::vector<std::string> second = shared;
  second.insert(second.end(), {"--index", "1"});
  const Finished early = RunProgram(Command("member", "run", second));
  EXPECT_EQ(early.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(early.err, HasSubstr("member 0 is not finished"));
  const Finished done = RunProgram(Command("ensemble", "run", shared));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const std::string teacher = folder_.File("run/teacher");
  EXPECT_LT(fs::file_size(teacher + "/member_2.safetensors"), fs::file_size(teacher + "/member_0.safetensors") / 2);
  const Finished check = RunProgram({kServer, "--check-config", "--bundle", teacher});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  const Finished exported = RunProgram({kTrain, "export", "--bundle", teacher, "--out", folder_.File("out")});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(fs::file_size(folder_.File("out/member_2.safetensors")),
            fs::file_size(folder_.File("out/member_0.safetensors")));
}

TEST_F(TrainingProgramsTest, OneTrainingBecomesAnEnsembleOfSnapshotsOrDraws) {
  const std::string joined = folder_.File("joined");
  ASSERT_EQ(
      RunProgram(Command("member", "cyclic", {"--index", "0", "--set", "schedule: 'cyclic' cycles: 2"})).exit_code, 0);
  const Finished join = RunProgram({kTrain, "join", "--run", folder_.File("cyclic"), "--out", joined});
  EXPECT_EQ(join.exit_code, 0) << join.err;
  EXPECT_EQ(join.out, joined + "\n");
  const std::string tail = "schedule: 'constant_tail' tail_share: 0.5 snapshots: 3";
  ASSERT_EQ(RunProgram(Command("member", "tail", {"--index", "0", "--set", tail})).exit_code, 0);
  const std::string drawn = folder_.File("drawn");
  const Finished draws = RunProgram(Command("swag", "tail", {"--set", tail, "--samples", "3", "--out", drawn}));
  EXPECT_EQ(draws.exit_code, 0) << draws.err;
  EXPECT_EQ(draws.out, drawn + "\n");
  for (const std::string& bundle : {joined, drawn}) {
    const Finished check = RunProgram({kServer, "--check-config", "--bundle", bundle});
    EXPECT_EQ(check.exit_code, 0) << check.err;
  }
  const Finished other = RunProgram(Command("swag", "tail", {"--out", folder_.File("other")}));
  EXPECT_EQ(other.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(other.err, HasSubstr("now it is"));
}

TEST_F(TrainingProgramsTest, DistillWithoutItsMembersIsExit78) {
  const Finished done = RunProgram(Command("distill", "run"));
  EXPECT_EQ(done.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(done.err, HasSubstr("members 0, 1 of 2 are not finished"));
}

}  // namespace
}  // namespace candor
