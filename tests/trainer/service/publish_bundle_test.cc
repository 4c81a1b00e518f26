// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/publish_bundle.h"

#include <filesystem>
#include <fstream>

#include "core/model/bundle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;

class PublishBundleTest : public testing::Test {
 protected:
  void SetUp() override {
    TensorFile member;
    member.tensors = {{"w", DType::kU8, {3}, "abc"}};
    ASSERT_THAT(WriteBundle(Student(), ValidSpec(ModelKind::kStudent, 0), {member}), IsOk());
  }
  std::string Student() const { return folder_.File("run/student"); }
  std::string Repository() const { return folder_.File("models"); }
  int EntriesOf(const std::string& directory) const {
    return static_cast<int>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
  }

  TemporaryFolder folder_;
};

TEST_F(PublishBundleTest, EachGetsTheNextVersion) {
  for (const int version : {1, 2}) {
    const auto published = PublishBundle(Student(), Repository(), "street");
    ASSERT_THAT(published, IsOk());
    EXPECT_EQ(published->version, version);
    const auto bundle = ReadBundle(published->directory);
    ASSERT_THAT(bundle, IsOk());
    EXPECT_EQ(bundle->digest, published->digest);
    EXPECT_EQ(bundle->name, "street");
    EXPECT_EQ(bundle->version, version);
  }
  EXPECT_EQ(EntriesOf(Repository() + "/street"), 2);
}

TEST_F(PublishBundleTest, GapsStayAndForeignNamesDoNotCount) {
  fs::create_directories(Repository() + "/street/7");
  fs::create_directories(Repository() + "/street/notes");
  const auto published = PublishBundle(Student(), Repository(), "street");
  ASSERT_THAT(published, IsOk());
  EXPECT_THAT(published->directory, EndsWith("street/8"));
}

TEST_F(PublishBundleTest, ADamagedBundleLeavesNothing) {
  std::ofstream(Student() + "/model.safetensors", std::ios::app) << "x";
  EXPECT_THAT(PublishBundle(Student(), Repository(), "street"),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("model.safetensors")));
  EXPECT_FALSE(fs::exists(Repository()));
}

TEST_F(PublishBundleTest, AFileInTheWayIsNamedAndNothingIsLeft) {
  fs::create_directories(Repository());
  WriteContents(Repository() + "/street", "");
  EXPECT_THAT(PublishBundle(Student(), Repository(), "street"),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("street")));
  EXPECT_EQ(EntriesOf(Repository()), 1);
}

}  // namespace
}  // namespace candor
