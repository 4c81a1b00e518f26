// SPDX-License-Identifier: Apache-2.0
#include "server/refused_pictures.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
  return names;
}

class RefusedPicturesTest : public testing::Test {
 protected:
  std::unique_ptr<RefusedPictures> Open(int64_t max_bytes, int max_files) {
    auto pictures = RefusedPictures::Open(directory_, max_bytes, max_files);
    EXPECT_THAT(pictures, IsOk());
    return *std::move(pictures);
  }

  const TemporaryFolder folder_;
  const std::string directory_ = folder_.File("a/refused");
};

TEST_F(RefusedPicturesTest, KeepsThePictureUnderTheRequestsId) {
  const auto pictures = Open(100, 10);
  EXPECT_TRUE(pictures->Keep("robot-7", std::string("\0\xFFpixels", 8)));
  ASSERT_THAT(NamesIn(directory_), ElementsAre("0000000001-robot-7.refused"));
  EXPECT_EQ(Contents(directory_ + "/0000000001-robot-7.refused"), std::string("\0\xFFpixels", 8));
}

TEST_F(RefusedPicturesTest, NoIdLeavesTheFolder) {
  const auto pictures = Open(100, 10);
  EXPECT_TRUE(pictures->Keep("../../etc/passwd", "x"));
  EXPECT_TRUE(pictures->Keep("..", "x"));
  EXPECT_TRUE(pictures->Keep("", "x"));
  EXPECT_THAT(NamesIn(directory_), UnorderedElementsAre("0000000001-.._.._etc_passwd.refused", "0000000002-...refused",
                                                        "0000000003-.refused"));
}

TEST_F(RefusedPicturesTest, TheOldestGoFirstWhenThereAreTooManyFiles) {
  const auto pictures = Open(1000, 2);
  for (const char* id : {"a", "b", "c", "d"}) EXPECT_TRUE(pictures->Keep(id, "x"));
  EXPECT_THAT(NamesIn(directory_), UnorderedElementsAre("0000000003-c.refused", "0000000004-d.refused"));
}

TEST_F(RefusedPicturesTest, TheOldestGoFirstWhenThereAreTooManyBytes) {
  const auto pictures = Open(10, 100);
  EXPECT_TRUE(pictures->Keep("a", "1234"));
  EXPECT_TRUE(pictures->Keep("b", "1234"));
  EXPECT_TRUE(pictures->Keep("c", "12"));  // exactly 10
  EXPECT_EQ(NamesIn(directory_).size(), 3u);
  EXPECT_TRUE(pictures->Keep("d", "12345"));
  EXPECT_THAT(NamesIn(directory_), UnorderedElementsAre("0000000003-c.refused", "0000000004-d.refused"));
}

TEST_F(RefusedPicturesTest, APictureLargerThanAllRoomIsNotKeptAndNothingIsRemoved) {
  const auto pictures = Open(10, 100);
  EXPECT_TRUE(pictures->Keep("a", "1234"));
  EXPECT_FALSE(pictures->Keep("b", "12345678901"));
  EXPECT_THAT(NamesIn(directory_), ElementsAre("0000000001-a.refused"));
}

TEST_F(RefusedPicturesTest, FilesOfAnEarlierRunCountAndOthersAreLeftAlone) {
  Open(100, 10)->Keep("a", "x");
  Open(100, 10)->Keep("b", "x");
  WriteContents(directory_ + "/notes.txt", "mine");
  WriteContents(directory_ + "/12-mine.jpg", "mine");
  const auto pictures = Open(100, 2);
  EXPECT_TRUE(pictures->Keep("c", "x"));
  EXPECT_THAT(NamesIn(directory_),
              UnorderedElementsAre("0000000002-b.refused", "0000000003-c.refused", "notes.txt", "12-mine.jpg"));
}

TEST_F(RefusedPicturesTest, ADiskErrorKeepsNothingAndDoesNoHarm) {
  const auto pictures = Open(100, 10);
  std::filesystem::remove_all(directory_);
  EXPECT_FALSE(pictures->Keep("a", "x"));
  std::filesystem::create_directories(directory_);
  EXPECT_TRUE(pictures->Keep("b", "x"));
}

TEST_F(RefusedPicturesTest, DiskErrorsAreLoggedOnceUntilTheDiskIsWell) {
  const auto pictures = Open(100, 10);
  testing::internal::CaptureStderr();
  for (int round = 0; round < 2; ++round) {
    std::filesystem::remove_all(directory_);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(pictures->Keep("a", "x"));
    std::filesystem::create_directories(directory_);
    EXPECT_TRUE(pictures->Keep("b", "x"));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
}

TEST_F(RefusedPicturesTest, BoundsHoldWithManyThreads) {
  const auto pictures = Open(1000, 3);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pictures] {
      for (int i = 0; i < 25; ++i) pictures->Keep("id", "picture");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(NamesIn(directory_).size(), 3u);
}

TEST(RefusedPicturesOpenTest, SaysWhyItCannot) {
  const TemporaryFolder folder;
  WriteContents(folder.File("file"), "x");
  EXPECT_THAT(RefusedPictures::Open(folder.File("file"), 1, 1),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("cannot make the directory")));
  EXPECT_THAT(RefusedPictures::Open("", 1, 1), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("folder")));
}

}  // namespace
}  // namespace candor
