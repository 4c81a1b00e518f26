// SPDX-License-Identifier: Apache-2.0
#include "core/base/watched_files.h"

#include <filesystem>

#include "gtest/gtest.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

TEST(WatchedFilesTest, AFileIsReadOnceUntilItChanges) {
  WatchedFiles watched({"/proc/self/exe"});  // surely older than two seconds
  EXPECT_TRUE(watched.Changed());
  EXPECT_FALSE(watched.Changed());
  EXPECT_FALSE(watched.Changed());
}

TEST(WatchedFilesTest, AYoungChangeIsReadAgainSinceItsStampMayHideAnother) {
  const TemporaryFolder folder;
  WriteContents(folder.File("a"), "1");
  WatchedFiles watched({folder.File("a")});
  EXPECT_TRUE(watched.Changed());
  WriteContents(folder.File("a"), "2");
  EXPECT_TRUE(watched.Changed());
}

TEST(WatchedFilesTest, NoticesASwappedLinkAndAMissingFile) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/proc/self/exe", folder.File("link"));
  WatchedFiles watched({folder.File("link")});
  EXPECT_TRUE(watched.Changed());
  EXPECT_FALSE(watched.Changed());
  std::filesystem::remove(folder.File("link"));
  EXPECT_TRUE(watched.Changed());
  EXPECT_FALSE(watched.Changed());
  std::filesystem::create_symlink("/bin/sh", folder.File("link"));
  EXPECT_TRUE(watched.Changed());
  EXPECT_FALSE(watched.Changed());
}

}  // namespace
}  // namespace candor
