// SPDX-License-Identifier: Apache-2.0
//
// candor-training-server, candor-train and candor as an operator runs them: from a configuration to a served model,
// killed and started again on the way.
#include <signal.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/subprocess.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_dataset.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr char kService[] = CANDOR_BIN_DIR "/candor-training-server";
constexpr char kTrain[] = CANDOR_BIN_DIR "/candor-train";
constexpr char kServer[] = CANDOR_BIN_DIR "/candor-server";
constexpr char kClient[] = CANDOR_BIN_DIR "/candor";
constexpr absl::Duration kPatience = absl::Seconds(120);

class TrainingServiceProgramsTest : public testing::Test {
 protected:
  TrainingServiceProgramsTest() {
    WriteTinyDataset(folder_.File("data"));
    WriteContents(Config(), absl::StrCat("data: 'folder:", folder_.File("data"),
                                         "' width: 4 crop: 32 batch_size: 2 epochs: 10 validate_every: 5 precision: "
                                         "'fp32' store: 'fp32' members: 2 device: 'cpu' threads: 1 log_every_steps: 1 "
                                         "checkpoint_seconds: 1"));
    StartService();
  }

  std::string Config() const { return folder_.File("trainer.textproto"); }
  std::string RunFolder() const { return folder_.File("runs/tiny"); }

  void StartService() {
    service_ = std::make_unique<Subprocess>(
        std::vector<std::string>{kService, "--runs", folder_.File("runs"), "--listen", "127.0.0.1:0",
                                 "--metrics-listen", "127.0.0.1:0", "--model-repository", folder_.File("models")});
    const std::vector<std::string> words = absl::StrSplit(service_->ReadLine(), absl::ByAnyChar(" ="));
    ASSERT_EQ(words.size(), 5u);
    ASSERT_EQ(words[0], "listening");
    address_ = words[2];
  }

  Finished Train(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {kClient, "train"});
    arguments.insert(arguments.end(), {"--server", address_});
    return RunProgram(arguments);
  }
  json Status() const { return json::parse(Train({"status", "tiny", "--json"}).out); }

  // Returns once a member has come to `step`. Test failure if none does within kPatience.
  void AwaitStep(int64_t step) const {
    const absl::Time deadline = absl::Now() + kPatience;
    while (absl::Now() < deadline) {
      const json run = Status();
      for (const json& training : run["trainings"]) {
        if (training["step"].get<int64_t>() >= step) return;
      }
    }
    ADD_FAILURE() << "no member has come to step " << step << ": " << Status().dump();
  }

  std::string WeightsOf(const std::string& run) const { return Contents(run + "/student/model.safetensors"); }
  // The student's weights of the same recipe without a service.
  std::string Uninterrupted() const {
    const Finished done = RunProgram({kTrain, "ensemble", "--config", Config(), "--run", folder_.File("whole")});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return WeightsOf(folder_.File("whole"));
  }

  TemporaryFolder folder_;
  std::string address_;
  std::unique_ptr<Subprocess> service_;
};

TEST_F(TrainingServiceProgramsTest, FromAConfigurationToAServedModel) {
  const Finished watched = Train({"submit", "--config", Config(), "--name", "tiny", "--watch", "--json"});
  EXPECT_EQ(watched.exit_code, 0) << watched.out << watched.err;
  const json run = Status();
  EXPECT_EQ(run["state"], "succeeded");
  EXPECT_EQ(run["progress"], 1.0);
  ASSERT_EQ(run["trainings"].size(), 3u);
  EXPECT_EQ(run["trainings"][2]["step"], 40);
  EXPECT_GT(run["trainings"][0]["validation_miou"].get<double>(), 0);

  for (const int version : {1, 2}) {
    const Finished published = Train({"publish", "tiny", "--model", "meadow", "--json"});
    ASSERT_EQ(published.exit_code, 0) << published.err;
    EXPECT_EQ(json::parse(published.out)["version"], version);
  }
  const Finished checked = RunProgram({kServer, "--bundle", folder_.File("models/meadow"), "--check-config"});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
}

// kill -9 of the service leaves its trainings alone; the next one finds them.
TEST_F(TrainingServiceProgramsTest, AKilledServiceGoesOnWithItsRuns) {
  ASSERT_EQ(Train({"submit", "--config", Config(), "--name", "tiny"}).exit_code, 0);
  AwaitStep(3);
  service_->Signal(SIGKILL);
  service_->Wait();
  StartService();
  EXPECT_EQ(Train({"watch", "tiny"}).exit_code, 0);
  EXPECT_EQ(Status()["state"], "succeeded");
  EXPECT_EQ(WeightsOf(RunFolder()), Uninterrupted());
}

TEST_F(TrainingServiceProgramsTest, AStoppedServiceStopsItsRunsAndGoesOnLater) {
  ASSERT_EQ(Train({"submit", "--config", Config(), "--name", "tiny"}).exit_code, 0);
  AwaitStep(3);
  service_->Signal(SIGTERM);
  EXPECT_EQ(service_->Wait().exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(RunFolder() + "/student"));
  StartService();
  EXPECT_EQ(Train({"watch", "tiny"}).exit_code, 0);
  EXPECT_EQ(Status()["starts"], 2);
  EXPECT_EQ(WeightsOf(RunFolder()), Uninterrupted());
}

TEST_F(TrainingServiceProgramsTest, CancelAndResume) {
  ASSERT_EQ(Train({"submit", "--config", Config(), "--name", "tiny"}).exit_code, 0);
  AwaitStep(3);
  ASSERT_EQ(Train({"cancel", "tiny"}).exit_code, 0);
  EXPECT_EQ(Train({"watch", "tiny"}).exit_code, 75);
  EXPECT_EQ(Status()["state"], "cancelled");
  ASSERT_EQ(Train({"resume", "tiny"}).exit_code, 0);
  EXPECT_EQ(Train({"watch", "tiny"}).exit_code, 0);
  EXPECT_EQ(WeightsOf(RunFolder()), Uninterrupted());
}

TEST_F(TrainingServiceProgramsTest, DataThatIsNotThereIsSaidSo) {
  const Finished run = Train({"submit", "--config", Config(), "--set", "data: 'folder:/nowhere'", "--watch"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.out, HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace candor
