// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/run_progress.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

class ProgressReaderTest : public testing::Test {
 protected:
  void Append(const std::string& text) const { std::ofstream(Log(), std::ios::app) << text; }
  std::string Log() const { return folder_.File("events.jsonl"); }

  TemporaryFolder folder_;
  ProgressReader reader_{"member 0", folder_.path(), folder_.File("model")};
};

TEST_F(ProgressReaderTest, NothingThereIsNothingDone) {
  const TrainingProgress& progress = reader_.Read();
  EXPECT_EQ(progress.name, "member 0");
  EXPECT_FALSE(progress.is_done);
  EXPECT_EQ(progress.ShareDone(), 0);
  EXPECT_TRUE(std::isnan(progress.loss));
  EXPECT_TRUE(std::isnan(progress.validation_miou));
}

TEST_F(ProgressReaderTest, FollowsALogThatGrows) {
  Append(R"({"event":"start","step":0,"steps":40})"
         "\n"
         R"({"event":"step","step":10,"loss":0.5,"images_per_second":12.5})"
         "\n");
  EXPECT_EQ(reader_.Read().step, 10);
  EXPECT_EQ(reader_.Read().steps, 40);
  EXPECT_EQ(reader_.Read().ShareDone(), 0.25);
  EXPECT_EQ(reader_.Read().loss, 0.5);
  EXPECT_EQ(reader_.Read().images_per_second, 12.5);
  Append(R"({"event":"validation","step":20,"miou":0.375})"
         "\n");
  EXPECT_EQ(reader_.Read().step, 20);
  EXPECT_EQ(reader_.Read().validation_miou, 0.375);
  EXPECT_EQ(reader_.Read().loss, 0.5);
}

TEST_F(ProgressReaderTest, ALineCountsOnceItIsWhole) {
  Append(R"({"event":"step","st)");
  EXPECT_EQ(reader_.Read().step, 0);
  Append(R"(ep":7,"steps":14})");
  EXPECT_EQ(reader_.Read().step, 0);
  Append("\n");
  EXPECT_EQ(reader_.Read().step, 7);
  EXPECT_EQ(reader_.Read().ShareDone(), 0.5);
}

// A run that goes on from a checkpoint drops the lines of later steps.
TEST_F(ProgressReaderTest, ALogWrittenAnewIsReadAnew) {
  Append("{\"step\":30,\"steps\":40}\n");
  EXPECT_EQ(reader_.Read().step, 30);
  WriteContents(folder_.File("new"), "{\"step\":20,\"steps\":40}\n");
  std::filesystem::rename(folder_.File("new"), Log());
  EXPECT_EQ(reader_.Read().step, 20);
}

TEST_F(ProgressReaderTest, LinesThatAreNoEventsChangeNothing) {
  Append("{\"step\":3,\"steps\":4}\nnonsense\n[1]\n{\"step\":\"many\",\"loss\":null}\n");
  EXPECT_EQ(reader_.Read().step, 3);
  EXPECT_TRUE(std::isnan(reader_.Read().loss));
}

TEST_F(ProgressReaderTest, AModelIsTheEnd) {
  std::filesystem::create_directory(folder_.File("model"));
  EXPECT_FALSE(reader_.Read().is_done);
  WriteContents(folder_.File("model/model.json"), "{}");
  EXPECT_TRUE(reader_.Read().is_done);
  EXPECT_EQ(reader_.Read().ShareDone(), 1);
}

TEST(RunReadersTest, MembersThenTheStudent) {
  std::vector<ProgressReader> readers = RunReaders("/nowhere", 2, true);
  ASSERT_EQ(readers.size(), 3u);
  EXPECT_EQ(readers[1].Read().name, "member 1");
  EXPECT_EQ(readers[2].Read().name, "distillation");
  EXPECT_EQ(RunReaders("/nowhere", 2, false).size(), 2u);
}

}  // namespace
}  // namespace candor
