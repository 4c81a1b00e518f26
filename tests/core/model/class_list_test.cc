// SPDX-License-Identifier: Apache-2.0
//
// Expected colours are those of the datasets' own documentation.
#include "core/model/class_list.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class ClassListTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/class_list_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::vector<ClassSpec>> Load(const std::string& json) {
    const std::string path = absl::StrCat(folder_, "/classes.json");
    EXPECT_THAT(WriteFileAtomically(path, json), IsOk());
    return LoadClassList(path);
  }

  std::string folder_;
};

TEST_F(ClassListTest, Camvid11IsInSegNetsOrder) {
  const auto classes = LoadClassList("camvid11");
  ASSERT_THAT(classes, IsOk());
  ASSERT_EQ(classes->size(), 11u);
  EXPECT_EQ((*classes)[0].name, "sky");
  EXPECT_EQ((*classes)[0].colour, (Colour{128, 128, 128}));
  EXPECT_EQ((*classes)[4].name, "pavement");
  EXPECT_EQ((*classes)[4].colour, (Colour{60, 40, 222}));
  EXPECT_EQ((*classes)[6].name, "sign_symbol");
  EXPECT_EQ((*classes)[10].name, "bicyclist");
  EXPECT_EQ((*classes)[10].colour, (Colour{0, 128, 192}));
}

TEST_F(ClassListTest, Cityscapes19IsInTrainIdOrder) {
  const auto classes = LoadClassList("cityscapes19");
  ASSERT_THAT(classes, IsOk());
  ASSERT_EQ(classes->size(), 19u);
  EXPECT_EQ((*classes)[0].name, "road");
  EXPECT_EQ((*classes)[10].name, "sky");
  EXPECT_EQ((*classes)[10].colour, (Colour{70, 130, 180}));
  EXPECT_EQ((*classes)[18].name, "bicycle");
  EXPECT_EQ((*classes)[18].colour, (Colour{119, 11, 32}));
}

TEST_F(ClassListTest, Voc21HasTheInterleavedPalette) {
  const auto classes = LoadClassList("voc21");
  ASSERT_THAT(classes, IsOk());
  ASSERT_EQ(classes->size(), 21u);
  EXPECT_EQ((*classes)[0].colour, (Colour{0, 0, 0}));
  EXPECT_EQ((*classes)[1].colour, (Colour{128, 0, 0}));      // aeroplane
  EXPECT_EQ((*classes)[7].colour, (Colour{128, 128, 128}));  // car
  EXPECT_EQ((*classes)[8].colour, (Colour{64, 0, 0}));       // cat
  EXPECT_EQ((*classes)[15].name, "person");
  EXPECT_EQ((*classes)[15].colour, (Colour{192, 128, 128}));
  EXPECT_EQ((*classes)[20].name, "tvmonitor");
  EXPECT_EQ((*classes)[20].colour, (Colour{0, 64, 128}));
}

TEST_F(ClassListTest, ReadsADataSetsFile) {
  const auto classes =
      Load(R"({"classes": [{"name": "lawn", "colour": [0, 255, 7]}, {"name": "stone", "colour": [1, 2, 3]}],
               "values": {"4": 0, "9": 1}})");
  ASSERT_THAT(classes, IsOk());
  ASSERT_EQ(classes->size(), 2u);
  EXPECT_EQ((*classes)[1].name, "stone");
  EXPECT_THAT(Load(R"({"classes": [{"name": "lawn", "colour": [0, 256, 7]}]})"),
              HasStatus(kInvalid, HasSubstr("classes: ")));
}

TEST_F(ClassListTest, ReadsAFile) {
  const auto classes = Load(R"([{"name": "lawn", "colour": [0, 255, 7]}, {"colour": [1, 2, 3], "name": "stone"}])");
  ASSERT_THAT(classes, IsOk());
  ASSERT_EQ(classes->size(), 2u);
  EXPECT_EQ((*classes)[0].name, "lawn");
  EXPECT_EQ((*classes)[0].colour, (Colour{0, 255, 7}));
  EXPECT_EQ((*classes)[1].name, "stone");
}

TEST_F(ClassListTest, RefusesABrokenFileWithItsNameAndThePath) {
  const std::string good = R"({"name": "a", "colour": [0, 0, 0]})";
  const std::pair<std::string, std::string> cases[] = {
      {"[", "not valid JSON at byte 2"},
      {"{}", "top level: must be an array, is an object"},
      {"[" + good + "]", "top level: must have 2 to 255 items, has 1"},
      {"[" + good + "," + good + "]", "[1].name: must be unique, \"a\" comes twice"},
      {"[" + good + R"(, {"name": "", "colour": [0, 0, 0]}])", "[1].name: must not be empty"},
      {"[" + good + R"(, {"name": "b", "colour": [0, 256, 0]}])",
       "[1].colour[1]: must be an integer in [0, 255], is 256"},
      {"[" + good + R"(, {"name": "b", "colour": [0, 0]}])", "[1].colour: must have 3 items, has 2"},
      {"[" + good + R"(, {"name": "b", "color": [0, 0, 0]}])", "[1].color: unknown key, must be one of name, colour"},
      {"[" + good + R"(, {"name": "b"}])", "[1].colour: missing"},
      {"[" + good + R"(, {"name": 3, "colour": [0, 0, 0]}])", "[1].name: must be a string, is a number"}};
  for (const auto& [json, message] : cases) {
    EXPECT_THAT(Load(json), HasStatus(kInvalid, AllOf(HasSubstr("classes.json: "), HasSubstr(message)))) << json;
  }
}

TEST_F(ClassListTest, RefusesMoreThan255Classes) {
  std::string json = "[";
  for (int i = 0; i < 256; ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",", R"({"name": "c)", i, R"(", "colour": [0, 0, 0]})");
  }
  EXPECT_THAT(Load(json + "]"), HasStatus(kInvalid, HasSubstr("must have 2 to 255 items, has 256")));
}

TEST_F(ClassListTest, AnUnknownNameListsTheKnownOnes) {
  EXPECT_THAT(LoadClassList("camvid12"),
              HasStatus(kInvalid, AllOf(HasSubstr("\"camvid12\""), HasSubstr("camvid11, cityscapes19, voc21"))));
}

}  // namespace
}  // namespace candor
