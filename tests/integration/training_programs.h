// SPDX-License-Identifier: Apache-2.0
//
// candor-train as a program, on a small data set.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/exit_code.h"
#include "gtest/gtest.h"
#include "tests/testing/subprocess.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_dataset.h"

namespace candor {

inline int CodeOf(ExitCode code) { return static_cast<int>(code); }

// Ten epochs of four steps, validated every other epoch, each step in the log.
class TrainingPrograms : public testing::Test {
 protected:
  static constexpr char kTrain[] = CANDOR_BIN_DIR "/candor-train";

  TrainingPrograms() {
    WriteTinyDataset(folder_.File("data"));
    WriteContents(Config(),
                  absl::StrCat("data: '", Data(),
                               "' width: 4 crop: 32 batch_size: 2 epochs: 10 validate_every: 2 precision: 'fp32' "
                               "store: 'fp32' members: 2 device: 'cpu' log_every_steps: 1"));
  }

  std::string Data() const { return "folder:" + folder_.File("data"); }
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

  TemporaryFolder folder_;
};

}  // namespace candor
