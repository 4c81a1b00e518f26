// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/teacher_cache.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/file_size_limit.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/trainer/training/fixed_samples.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class TeacherCacheTest : public testing::Test {
 protected:
  TeacherCacheTest() { batch_.step = 7; }

  std::unique_ptr<TeacherSamples> Cache(absl::Status error = absl::OkStatus()) {
    return MakeTeacherCache(folder_.File("kept"), std::make_unique<FixedSamples>(scores_, &asked_, error));
  }
  std::string File() const { return folder_.File("kept/step-000000007.safetensors"); }

  // Asks a new cache, as another student would.
  void ExpectSame() {
    const auto samples = Cache()->Of(batch_);
    ASSERT_THAT(samples, IsOk());
    EXPECT_TRUE(samples->equal(scores_));
  }

  TemporaryFolder folder_;
  torch::Tensor scores_ = ThreeMembers().to(torch::kHalf).to(torch::kFloat32);
  TensorBatch batch_ = SmallBatch();
  int asked_ = 0;
};

TEST_F(TeacherCacheTest, AsksOnceAStep) {
  ExpectSame();
  EXPECT_TRUE(std::filesystem::exists(File()));
  ExpectSame();
  EXPECT_EQ(asked_, 1);
  batch_.step = 8;
  ExpectSame();
  EXPECT_EQ(asked_, 2);
}

TEST_F(TeacherCacheTest, WhatIsDamagedIsMadeAgain) {
  ExpectSame();
  const std::string whole = Contents(File());
  std::string flipped = whole;
  flipped.back() ^= 1;
  for (const std::string& damaged : {flipped, whole.substr(0, whole.size() / 2), std::string("no file of ours")}) {
    WriteContents(File(), damaged);
    ExpectSame();
    EXPECT_EQ(Contents(File()), whole);
  }
  EXPECT_EQ(asked_, 4);
}

TEST_F(TeacherCacheTest, WhatIsOfAnotherBatchIsMadeAgain) {
  ExpectSame();
  batch_.images = torch::zeros({3, 3, 32, 32});
  ASSERT_THAT(Cache()->Of(batch_), IsOk());
  EXPECT_EQ(asked_, 2);
}

TEST_F(TeacherCacheTest, AFullDiskEndsNothing) {
  const FileSizeLimit full(64);
  const auto cache = Cache();
  for (const int step : {7, 8}) {
    batch_.step = step;
    const auto samples = cache->Of(batch_);
    ASSERT_THAT(samples, IsOk());
    EXPECT_TRUE(samples->equal(scores_));
  }
  EXPECT_EQ(asked_, 2);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.File("kept")));
}

TEST_F(TeacherCacheTest, ATeachersErrorIsPassedOn) {
  EXPECT_THAT(Cache(absl::InternalError("no"))->Of(batch_), HasStatus(StatusCode::kInternal, HasSubstr("no")));
  EXPECT_FALSE(std::filesystem::exists(File()));
}

TEST(TeacherCacheFolderTest, FollowsFromTeacherAndCropsAlone) {
  using Identity = std::vector<std::pair<std::string, std::string>>;
  const Identity identity = {{"seed", "1"}, {"crop", "64"}, {"learning_rate", "0.1"}, {"data_digest", "d"}};
  const std::string folder = TeacherCacheFolder("/kept", "t", "cpu", identity);
  EXPECT_EQ(folder.rfind("/kept/", 0), 0);
  const Identity slower = {{"seed", "1"}, {"crop", "64"}, {"learning_rate", "0.2"}, {"data_digest", "d"}};
  EXPECT_EQ(TeacherCacheFolder("/kept", "t", "cpu", slower), folder);
  EXPECT_NE(TeacherCacheFolder("/kept", "u", "cpu", identity), folder);
  EXPECT_NE(TeacherCacheFolder("/kept", "t", "cuda", identity), folder);
  for (size_t i : {0, 1, 3}) {
    Identity other = identity;
    other[i].second = "other";
    EXPECT_NE(TeacherCacheFolder("/kept", "t", "cpu", other), folder) << other[i].first;
  }
}

}  // namespace
}  // namespace candor
