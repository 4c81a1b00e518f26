// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/checkpoint.h"

#include <filesystem>
#include <set>
#include <utility>

#include "core/base/log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/file_size_limit.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

Checkpoint Sample(int64_t step) {
  Checkpoint checkpoint;
  checkpoint.step = step;
  checkpoint.best_miou = 1.0 / 3;
  checkpoint.best_step = step - 1;
  checkpoint.validated_step = step;
  checkpoint.identity = {{"epochs", "3"}, {"data", "folder:/x \"y\""}};
  std::string floats(64, '\0');
  for (size_t i = 0; i < floats.size(); ++i) floats[i] = static_cast<char>(i * 37 + static_cast<size_t>(step));
  checkpoint.tensors = {{"model.a", DType::kF32, {4, 4}, floats}, {"model.n", DType::kI64, {}, std::string(8, '\5')}};
  return checkpoint;
}

std::set<std::string> FilesOf(const TemporaryFolder& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path())) names.insert(entry.path().filename().string());
  return names;
}

class CheckpointTest : public testing::Test {
 protected:
  // Damaged files are logged, thousands of times.
  CheckpointTest() { SetLogLevel(LogLevel::kError); }
  ~CheckpointTest() override { SetLogLevel(LogLevel::kInfo); }

  std::string PathOf(int64_t step) const {
    const std::string digits = std::to_string(step);
    return folder_.File("checkpoint-" + std::string(9 - digits.size(), '0') + digits + ".safetensors");
  }

  // The step of the newest whole checkpoint, or -1.
  int64_t NewestStep() const {
    const auto newest = LoadNewestCheckpoint(folder_.path());
    EXPECT_THAT(newest, IsOk());
    return newest.ok() && newest->has_value() ? (*newest)->step : -1;
  }

  TemporaryFolder folder_;
};

TEST_F(CheckpointTest, AnEmptyOrMissingFolderHasNone) {
  for (const std::string& folder : {folder_.path(), folder_.File("missing")}) {
    const auto newest = LoadNewestCheckpoint(folder);
    ASSERT_THAT(newest, IsOk());
    EXPECT_FALSE(newest->has_value());
  }
}

TEST_F(CheckpointTest, ReturnsEveryBit) {
  const Checkpoint saved = Sample(12);
  ASSERT_THAT(SaveCheckpoint(folder_.path(), saved), IsOk());
  const auto loaded = LoadNewestCheckpoint(folder_.path());
  ASSERT_THAT(loaded, IsOk());
  ASSERT_TRUE(loaded->has_value());
  EXPECT_EQ((*loaded)->step, 12);
  EXPECT_EQ((*loaded)->best_miou, 1.0 / 3);
  EXPECT_EQ((*loaded)->best_step, 11);
  EXPECT_EQ((*loaded)->validated_step, 12);
  EXPECT_THAT((*loaded)->identity,
              UnorderedElementsAre(std::pair<std::string, std::string>("epochs", "3"),
                                   std::pair<std::string, std::string>("data", "folder:/x \"y\"")));
  ASSERT_EQ((*loaded)->tensors.size(), 2u);
  for (const NamedTensor& tensor : (*loaded)->tensors) {
    const NamedTensor& original = saved.tensors[tensor.name == "model.a" ? 0 : 1];
    EXPECT_EQ(tensor.name, original.name);
    EXPECT_EQ(tensor.dtype, original.dtype);
    EXPECT_EQ(tensor.shape, original.shape);
    EXPECT_EQ(tensor.data, original.data);
  }
}

TEST_F(CheckpointTest, OnlyTheLastTwoStay) {
  for (const int64_t step : {8, 9, 10, 100}) ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(step)), IsOk());
  EXPECT_THAT(FilesOf(folder_), ElementsAre("checkpoint-000000010.safetensors", "checkpoint-000000100.safetensors"));
  EXPECT_EQ(NewestStep(), 100);
}

TEST_F(CheckpointTest, OtherFilesAreLeftAlone) {
  for (const char* name : {"events.jsonl", "checkpoint-x.safetensors", "best.safetensors", "checkpoint-7.tmp"}) {
    WriteContents(folder_.File(name), "x");
  }
  for (const int64_t step : {1, 2, 3}) ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(step)), IsOk());
  EXPECT_EQ(FilesOf(folder_).size(), 6u);
  EXPECT_EQ(NewestStep(), 3);
}

TEST_F(CheckpointTest, TheOneBeforeIsTakenWhereverTheNewestIsCutOff) {
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(1)), IsOk());
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(2)), IsOk());
  const std::string whole = Contents(PathOf(2));
  for (size_t length = 0; length < whole.size(); length += 5) {
    WriteContents(PathOf(2), whole.substr(0, length));
    ASSERT_EQ(NewestStep(), 1) << length;
  }
}

TEST_F(CheckpointTest, TheOneBeforeIsTakenWhereverATensorsBitIsFlipped) {
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(1)), IsOk());
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(2)), IsOk());
  const std::string whole = Contents(PathOf(2));
  for (size_t i = whole.size() - 72; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    WriteContents(PathOf(2), damaged);
    ASSERT_EQ(NewestStep(), 1) << i;
  }
}

// A flipped bit of a tensor's name or shape, or of the step, must not go unnoticed either.
TEST_F(CheckpointTest, TheOneBeforeIsTakenWhereverAHeadersBitIsFlipped) {
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(1)), IsOk());
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(2)), IsOk());
  const std::string whole = Contents(PathOf(2));
  const auto header = static_cast<size_t>(static_cast<unsigned char>(whole[0])) +
                      256 * static_cast<size_t>(static_cast<unsigned char>(whole[1]));
  const size_t last = whole.find_last_not_of(' ', header + 7);
  for (size_t i = 0; i <= last; ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (i % 2 == 0 ? 1 : 4));
    WriteContents(PathOf(2), damaged);
    ASSERT_EQ(NewestStep(), 1) << i << " of " << header << ": " << damaged.substr(i < 30 ? 0 : i - 30, 60);
  }
}

TEST_F(CheckpointTest, NoneWholeIsDataLossThatSaysWhatToDo) {
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(1)), IsOk());
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(2)), IsOk());
  WriteContents(PathOf(1), "x");
  WriteContents(PathOf(2), "");
  EXPECT_THAT(LoadNewestCheckpoint(folder_.path()),
              HasStatus(StatusCode::kDataLoss, AllOf(HasSubstr(PathOf(2)), HasSubstr("delete them to begin anew"))));
}

TEST_F(CheckpointTest, ADamagedLaterOneDoesNotPushWholeOnesOut) {
  for (const int64_t step : {10, 20}) ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(step)), IsOk());
  WriteContents(PathOf(20), "x");
  for (const int64_t step : {12, 14}) ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(step)), IsOk());
  EXPECT_THAT(FilesOf(folder_), ElementsAre("checkpoint-000000012.safetensors", "checkpoint-000000014.safetensors"));
}

TEST_F(CheckpointTest, AFullDiskIsDataLossAndTheOthersStay) {
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(1)), IsOk());
  ASSERT_THAT(SaveCheckpoint(folder_.path(), Sample(2)), IsOk());
  {
    const FileSizeLimit limit(100);
    EXPECT_THAT(SaveCheckpoint(folder_.path(), Sample(3)), HasStatus(StatusCode::kDataLoss, HasSubstr(PathOf(3))));
  }
  EXPECT_THAT(FilesOf(folder_), ElementsAre("checkpoint-000000001.safetensors", "checkpoint-000000002.safetensors"));
  EXPECT_EQ(NewestStep(), 2);
}

TEST(CheckSameRunTest, EqualRunsPassInAnyOrder) {
  EXPECT_THAT(CheckSameRun({{"a", "1"}, {"b", "2"}}, {{"b", "2"}, {"a", "1"}}), IsOk());
}

TEST(CheckSameRunTest, NamesTheFieldAndBothValues) {
  EXPECT_THAT(CheckSameRun({{"epochs", "3"}, {"width", "64"}}, {{"epochs", "3"}, {"width", "32"}}),
              HasStatus(StatusCode::kFailedPrecondition,
                        AllOf(HasSubstr("width: "), HasSubstr("\"64\""), HasSubstr("\"32\""))));
}

TEST(CheckSameRunTest, AFieldThatOnlyOneHasDiffers) {
  EXPECT_THAT(CheckSameRun({}, {{"teacher_digest", "ab"}}),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("teacher_digest: ")));
  EXPECT_THAT(CheckSameRun({{"teacher_digest", "ab"}}, {}),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("teacher_digest: ")));
}

}  // namespace
}  // namespace candor
