// SPDX-License-Identifier: Apache-2.0
//
// Scripts in PATH take the place of Slurm's programs; a real Slurm is in tests/deploy.
#include "trainer/service/slurm_executor.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using State = Execution::State;

class SlurmExecutorTest : public testing::Test {
 protected:
  SlurmExecutorTest() : path_(getenv("PATH")) {
    std::filesystem::create_directories(Place().folder);
    setenv("PATH", absl::StrCat(folder_.path(), ":", path_).c_str(), 1);
  }
  ~SlurmExecutorTest() override { setenv("PATH", path_.c_str(), 1); }

  void Script(const std::string& name, const std::string& body) const {
    WriteContents(folder_.File(name), absl::StrCat("#!/bin/sh\n", body, "\n"));
    chmod(folder_.File(name).c_str(), 0755);
  }
  RunPlace Place() const { return {folder_.File("run"), 4}; }
  absl::StatusOr<Execution> LookAt(const std::string& squeue) {
    Script("squeue", squeue);
    return executor_.Look(Place(), "12 13");
  }

  const std::string path_;
  TemporaryFolder folder_;
  SlurmExecutor executor_{{folder_.File("submit.sh"), "/opt/candor-train", 2, {"--gres=gpu:1"}}};
};

TEST_F(SlurmExecutorTest, SubmitsAndKeepsBothJobs) {
  Script("submit.sh", "echo \"$@\" >" + folder_.File("arguments") + "\necho 'members=12 distillation=13'");
  EXPECT_EQ(executor_.Start(Place()).value_or("refused"), "12 13");
  EXPECT_EQ(Contents(folder_.File("arguments")),
            absl::StrCat("--config ", Place().folder, "/config.textproto --run ", Place().folder,
                         " --members 4 --train /opt/candor-train --at-once 2 -- --gres=gpu:1\n"));
}

TEST_F(SlurmExecutorTest, ARefusalIsToldInSlurmsWords) {
  Script("submit.sh", "echo 'sbatch: error: invalid partition' >&2; exit 1");
  EXPECT_THAT(executor_.Start(Place()),
              HasStatus(absl::StatusCode::kUnknown, HasSubstr("sbatch: error: invalid partition")));
  Script("submit.sh", "echo nonsense");
  EXPECT_THAT(executor_.Start(Place()), HasStatus(absl::StatusCode::kUnknown, HasSubstr("nonsense")));
}

TEST_F(SlurmExecutorTest, RunsWhileAnyJobLives) {
  EXPECT_EQ(LookAt("echo \"$@\" >" + folder_.File("arguments") + "\necho COMPLETED; echo PENDING")->state,
            State::kRunning);
  EXPECT_THAT(Contents(folder_.File("arguments")), AllOf(HasSubstr("--jobs=12,13"), HasSubstr("--format=%T")));
  EXPECT_EQ(LookAt("echo REQUEUE_HOLD")->state, State::kRunning);
}

TEST_F(SlurmExecutorTest, TheStudentDecides) {
  const auto failed = LookAt("echo COMPLETED; echo CANCELLED");
  EXPECT_EQ(failed->state, State::kFailed);
  EXPECT_THAT(failed->message, HasSubstr("12 and 13"));
  std::filesystem::create_directories(Place().folder + "/student");
  WriteContents(Place().folder + "/student/model.json", "{}");
  EXPECT_EQ(LookAt("echo COMPLETED; echo COMPLETED")->state, State::kDone);
  EXPECT_EQ(LookAt("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")->state, State::kDone);
}

TEST_F(SlurmExecutorTest, ASilentSlurmDecidesNothing) {
  EXPECT_THAT(LookAt("echo 'Unable to contact slurm controller' >&2; exit 1"),
              HasStatus(absl::StatusCode::kUnavailable, HasSubstr("Unable to contact")));
}

TEST_F(SlurmExecutorTest, StopCancelsBothJobs) {
  Script("scancel", "echo \"$@\" >" + folder_.File("arguments"));
  executor_.Stop(Place(), "12 13");
  EXPECT_EQ(Contents(folder_.File("arguments")), "12 13\n");
}

}  // namespace
}  // namespace candor
