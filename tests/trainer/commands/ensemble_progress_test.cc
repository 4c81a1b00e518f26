// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/ensemble_progress.h"

#include <filesystem>

#include "gtest/gtest.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

TEST(EnsembleProgressTest, CountsWhatIsDoneAndUnderWay) {
  const TemporaryFolder run;
  EXPECT_EQ(EnsembleProgress(run.path(), 4), "members 0 of 4 done, 0 % in all");
  std::filesystem::create_directories(run.File("members/0/model"));
  WriteContents(run.File("members/0/model/model.json"), "{}");
  std::filesystem::create_directories(run.File("members/1"));
  WriteContents(run.File("members/1/events.jsonl"),
                "{\"event\":\"start\",\"step\":0,\"steps\":200}\n{\"event\":\"step\",\"step\":80}\n{\"event\":\"st");
  EXPECT_EQ(EnsembleProgress(run.path(), 4), "members 1 of 4 done, 35 % in all; member 1 40 %");
}

}  // namespace
}  // namespace candor
