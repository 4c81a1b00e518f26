// SPDX-License-Identifier: Apache-2.0
//
// Reading with a limit, writing whole or not at all.
#include "core/base/file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  FileTest()
      : folder_(testing::TempDir() + "file_test_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(Path(name)) << text; }
  std::string Read(const std::string& name) const {
    std::ifstream file(Path(name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  int EntryCount() const { return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder_), {})); }

  const std::string folder_;
};

TEST_F(FileTest, ReadsEveryByte) {
  const std::string bytes("a\0b\r\n\xff", 6);
  Write("f", bytes);
  const auto read = ReadFile(Path("f"), 6);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(*read, bytes);
}

TEST_F(FileTest, ReadsFilesWhoseSizeIsNotToldBeforehand) {
  const auto read = ReadFile("/proc/self/status", 1 << 16);  // the kernel says size 0
  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(*read, HasSubstr("Pid:"));
  EXPECT_THAT(ReadFile("/proc/self/status", 10), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("10 bytes")));
}

TEST_F(FileTest, EmptyFileIsEmpty) {
  Write("f", "");
  const auto read = ReadFile(Path("f"), 0);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(*read, "");
}

TEST_F(FileTest, RefusesOneByteTooMany) {
  Write("f", "1234567");
  EXPECT_THAT(ReadFile(Path("f"), 6), HasStatus(absl::StatusCode::kInvalidArgument,
                                                AllOf(HasSubstr(Path("f")), HasSubstr("limit of 6 bytes"))));
}

TEST_F(FileTest, MissingFileIsNotFound) {
  EXPECT_THAT(ReadFile(Path("none"), 10), HasStatus(absl::StatusCode::kNotFound, HasSubstr(Path("none"))));
  EXPECT_THAT(ReadFile(Path("none/deeper"), 10), HasStatus(absl::StatusCode::kNotFound, HasSubstr("no such file")));
}

TEST_F(FileTest, RefusesFoldersAndPipes) {
  EXPECT_THAT(ReadFile(folder_, 10), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("is a directory")));
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(ReadFile(Path("pipe"), 10),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("not a regular file")));
}

TEST_F(FileTest, WritesAndReplacesLeavingNothingElse) {
  ASSERT_THAT(WriteFileAtomically(Path("f"), "old"), IsOk());
  ASSERT_THAT(WriteFileAtomically(Path("f"), std::string(100000, 'n')), IsOk());
  EXPECT_EQ(Read("f"), std::string(100000, 'n'));
  EXPECT_EQ(EntryCount(), 1);
}

TEST_F(FileTest, WritesIntoTheWorkingFolder) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  const absl::Status status = WriteFileAtomically("f", "here");
  std::filesystem::current_path(before);
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(Read("f"), "here");
}

TEST_F(FileTest, FailedWriteKeepsWhatIsThere) {
  std::filesystem::create_directories(Path("taken/inner"));
  EXPECT_THAT(WriteFileAtomically(Path("taken"), "x"),
              HasStatus(absl::StatusCode::kDataLoss, AllOf(HasSubstr(Path("taken")), HasSubstr("directory"))));
  EXPECT_TRUE(std::filesystem::is_directory(Path("taken/inner")));
  EXPECT_EQ(EntryCount(), 1);  // no temporary file is left
}

TEST_F(FileTest, RunningOutOfSpaceKeepsTheOldFile) {
  Write("f", "old");
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 1000;
  std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = WriteFileAtomically(Path("f"), std::string(5000, 'n'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(status, HasStatus(absl::StatusCode::kDataLoss, HasSubstr("File too large")));
  EXPECT_EQ(Read("f"), "old");
  EXPECT_EQ(EntryCount(), 1);
}

TEST_F(FileTest, WriteIntoAMissingFolderNamesThePath) {
  EXPECT_THAT(WriteFileAtomically(Path("no/f"), "x"),
              HasStatus(absl::StatusCode::kDataLoss, AllOf(HasSubstr(Path("no/f")), HasSubstr("No such file"))));
}

TEST_F(FileTest, MakesFoldersAndTheirParents) {
  EXPECT_THAT(MakeDirectories(Path("a/b/c/")), IsOk());
  EXPECT_TRUE(std::filesystem::is_directory(Path("a/b/c")));
  EXPECT_THAT(MakeDirectories(Path("a/b")), IsOk());
}

TEST_F(FileTest, FileInTheWayOfAFolderIsAnError) {
  Write("f", "x");
  EXPECT_THAT(MakeDirectories(Path("f")), HasStatus(absl::StatusCode::kDataLoss, HasSubstr(Path("f"))));
  EXPECT_THAT(MakeDirectories(Path("f/deeper")), HasStatus(absl::StatusCode::kDataLoss, HasSubstr(Path("f/deeper"))));
}

}  // namespace
}  // namespace candor
