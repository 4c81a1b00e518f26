// SPDX-License-Identifier: Apache-2.0
#include "server/lifecycle/model_repository.h"

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/server/lifecycle/fake_repository.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr auto kNotFound = absl::StatusCode::kNotFound;

class ModelRepositoryTest : public testing::Test {
 protected:
  // The number, negative if the version is not complete.
  std::vector<int> Numbers(const std::string& path) const {
    std::vector<int> numbers;
    const auto versions = ListVersionsAt(disk_.At(path));
    EXPECT_THAT(versions, IsOk());
    if (!versions.ok()) return numbers;
    for (const VersionOnDisk& version : *versions) {
      numbers.push_back(version.is_complete ? version.number : -version.number);
    }
    return numbers;
  }

  FakeRepository disk_;
};

TEST_F(ModelRepositoryTest, VersionsAreOrderedAsNumbersAndThoseUnderCopyAreNotComplete) {
  for (const char* version : {"street/10", "street/9", "street/2"}) disk_.Write(version, ModelKind::kStudent);
  disk_.WriteHalf("street/11");
  EXPECT_THAT(Numbers("street"), ElementsAre(2, 9, 10, -11));
}

TEST_F(ModelRepositoryTest, WhatIsNoVersionNumberIsNoVersion) {
  disk_.Write("street/3", ModelKind::kStudent);
  for (const char* other : {"street/03", "street/0", "street/next", "street/4x", "street/99999999999"}) {
    disk_.Write(other, ModelKind::kStudent);
  }
  WriteContents(disk_.At("street/5"), "a file");
  EXPECT_THAT(Numbers("street"), ElementsAre(3));
}

TEST_F(ModelRepositoryTest, ABundleByItselfIsItsOnlyVersion) {
  disk_.Write("street", ModelKind::kStudent);
  disk_.Write("night/7", ModelKind::kStudent);
  EXPECT_THAT(Numbers("street"), ElementsAre(1));
  EXPECT_THAT(Numbers("night/7"), ElementsAre(7));
  EXPECT_EQ(*ModelNameAt(disk_.At("street")), "street");
  EXPECT_EQ(*ModelNameAt(disk_.At("night/7")), "night");
  EXPECT_EQ(*ModelNameAt(disk_.At("night/")), "night");
}

TEST_F(ModelRepositoryTest, ChoosesTheNewestCompleteVersionOrTheOneAskedFor) {
  disk_.Write("street/2", ModelKind::kStudent);
  disk_.Write("street/10", ModelKind::kStudent);
  disk_.WriteHalf("street/11");
  EXPECT_EQ(ChooseVersion(disk_.At("street"), 0)->directory, disk_.At("street/10"));
  EXPECT_EQ(ChooseVersion(disk_.At("street"), 2)->directory, disk_.At("street/2"));
  EXPECT_THAT(ChooseVersion(disk_.At("street"), 11), HasStatus(kNotFound, HasSubstr("no complete version 11")));
  EXPECT_THAT(ChooseVersion(disk_.At("gone"), 0), HasStatus(kNotFound, StartsWith(disk_.At("gone"))));
  disk_.WriteHalf("empty/1");
  EXPECT_THAT(ChooseVersion(disk_.At("empty"), 0), HasStatus(kNotFound, HasSubstr("model.json")));
}

TEST_F(ModelRepositoryTest, NoNameLeadsOutOfTheRoots) {
  disk_.Write("root/street/1", ModelKind::kStudent);
  disk_.Write("root/5", ModelKind::kStudent);
  disk_.Write("other/night", ModelKind::kStudent);
  disk_.Write("secret/1", ModelKind::kStudent);
  const std::vector<std::string> roots = {disk_.At("root"), disk_.At("other"), disk_.At("missing")};
  EXPECT_EQ(*FindModelPlace(roots, "street"), disk_.At("root/street"));
  EXPECT_EQ(*FindModelPlace(roots, "night"), disk_.At("other/night"));
  for (const std::string& name :
       {std::string("../secret"), std::string(".."), std::string("."), std::string(), std::string("street/1"),
        std::string("/"), disk_.At("secret"), std::string("5"), std::string("street\0x", 8)}) {
    EXPECT_THAT(FindModelPlace(roots, name), HasStatus(kNotFound, HasSubstr("no model is called"))) << name;
  }
  EXPECT_THAT(ModelsIn(roots), ElementsAre("night", "street"));
  EXPECT_THAT(ModelsIn({}), IsEmpty());
}

}  // namespace
}  // namespace candor
