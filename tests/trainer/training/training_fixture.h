// SPDX-License-Identifier: Apache-2.0
//
// Small trainings on a small data set, and ways to break them off.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_dataset.h"
#include "trainer/config.h"
#include "trainer/training/run_folder.h"
#include "trainer/training/train.h"

namespace candor {

// Remembers what it is told.
class Recorder : public TrainingObserver {
 public:
  absl::Status OnStart(const RunStart& start) override {
    starts.push_back(start);
    return absl::OkStatus();
  }
  absl::Status OnStep(const StepRecord& record) override {
    steps.push_back(record);
    return absl::OkStatus();
  }
  absl::Status OnValidation(const ValidationRecord& record) override {
    validations.push_back(record);
    return absl::OkStatus();
  }
  absl::Status OnEnd(const std::string& outcome) override {
    outcomes.push_back(outcome);
    return absl::OkStatus();
  }

  std::vector<RunStart> starts;
  std::vector<StepRecord> steps;
  std::vector<ValidationRecord> validations;
  std::vector<std::string> outcomes;
};

// Eight training pictures in batches of two: four steps an epoch, three epochs, validation on four after each.
class TrainingFixture : public testing::Test {
 protected:
  static constexpr int kSteps = 12;

  TrainingFixture() { WriteTinyDataset(data()); }

  std::string data() const { return folder_.File("data"); }
  std::string Run(const std::string& name) const { return folder_.File(name); }

  TrainOptions Options(const std::string& more = "") const {
    auto options = ReadTrainConfig(
        "", {absl::StrCat("data: 'folder:", data(),
                          "' width: 4 crop: 32 batch_size: 2 epochs: 3 validate_every: 1 precision: 'fp32' "
                          "store: 'fp32' members: 2 threads: 1 device: 'cpu'"),
             more});
    EXPECT_THAT(options, IsOk());
    return *std::move(options);
  }

  // Told to go on `times` times, then to stop, for good.
  RunControl StopAfter(int times) {
    auto asked = std::make_shared<int>(0);
    RunControl control;
    control.stop_requested = [asked, times] { return (*asked)++ >= times; };
    control.observers = {&recorder_};
    return control;
  }
  RunControl ToTheEnd() { return StopAfter(1 << 30); }

  // Trains member 0 in one go and returns its weights' bytes.
  std::string Uninterrupted(const TrainOptions& options, const std::string& run) {
    EXPECT_EQ(TrainMember(options, Run(run), 0, ToTheEnd()).value(), RunOutcome::kDone);
    return WeightsOf(MemberModel(Run(run), 0));
  }

  // A teacher of two members, of one epoch each, in Run("run"); what the recorder was told of them is forgotten.
  void MakeTeacher() {
    const TrainOptions options = Options("epochs: 1 validation_split: 'none'");
    for (const int index : {0, 1}) {
      ASSERT_EQ(TrainMember(options, Run("run"), index, ToTheEnd()).value(), RunOutcome::kDone);
    }
    ASSERT_THAT(WriteTeacher(options, Run("run"), TeacherModel(Run("run"))), IsOk());
    recorder_ = {};
  }

  static std::string WeightsOf(const std::string& model) { return Contents(model + "/model.safetensors"); }

  static std::set<std::string> CheckpointsOf(const std::string& folder) {
    std::set<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("checkpoint-", 0) == 0) paths.insert(entry.path().string());
    }
    return paths;
  }

  TemporaryFolder folder_;
  Recorder recorder_;
};

}  // namespace candor
