// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/folder_lock.h"

#include <filesystem>
#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

TEST(FolderLockTest, OneAtATime) {
  const TemporaryFolder folder;
  std::optional<absl::StatusOr<FolderLock>> first = FolderLock::Take(folder.path());
  ASSERT_THAT(*first, IsOk());
  EXPECT_THAT(FolderLock::Take(folder.path()),
              HasStatus(absl::StatusCode::kFailedPrecondition, testing::HasSubstr("another process is training")));
  first.reset();
  EXPECT_THAT(FolderLock::Take(folder.path()), IsOk());
}

TEST(FolderLockTest, RemovesOnlyWhatIsHalfWritten) {
  const TemporaryFolder folder;
  for (const char* name :
       {".checkpoint-000000007.safetensors.tmp-12-0", "checkpoint-000000007.safetensors", ".hidden"}) {
    WriteContents(folder.File(name), "x");
  }
  ASSERT_THAT(FolderLock::Take(folder.path()), IsOk());
  EXPECT_FALSE(std::filesystem::exists(folder.File(".checkpoint-000000007.safetensors.tmp-12-0")));
  EXPECT_TRUE(std::filesystem::exists(folder.File("checkpoint-000000007.safetensors")));
  EXPECT_TRUE(std::filesystem::exists(folder.File(".hidden")));
}

TEST(FolderLockTest, AFolderThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THAT(FolderLock::Take(folder.File("none")),
              HasStatus(absl::StatusCode::kDataLoss, testing::HasSubstr("none/.lock")));
}

}  // namespace
}  // namespace candor
