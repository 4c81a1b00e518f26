// SPDX-License-Identifier: Apache-2.0
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/data_directory.h"
#include "trainer/data/dataset.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kTwoClasses[] =
    R"("classes": [{"name": "background", "colour": [0, 0, 0]}, {"name": "nucleus", "colour": [255, 0, 0]}])";

// Classes and further members of classes.json.
std::string ManifestWith(const std::string& members) { return std::string("{") + kTwoClasses + members + "}"; }

absl::StatusOr<LabelledPicture> ReadFirst(const DataDirectory& directory) {
  const auto dataset = OpenDataset("folder:" + directory.path(), "train");
  if (!dataset.ok()) return dataset.status();
  return (*dataset)->Read(0);
}

TEST(FolderTest, SplitsMayLieBelowImagesAndMasks) {
  const DataDirectory directory;
  directory.Write("classes.json", ManifestWith(""));
  directory.Write("images/train/a.png", SmallPicture());
  directory.Write("masks/train/a.png", SmallMask({0, 1, 1, 255, 0, 0, 0, 0}));
  const auto dataset = OpenDataset("folder:" + directory.path(), "train");
  ASSERT_THAT(dataset, IsOk());
  EXPECT_EQ((*dataset)->classes()[1].name, "nucleus");
  const auto picture = (*dataset)->Read(0);
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->labels.values, ElementsAre(0, 1, 1, 255, 0, 0, 0, 0));
}

TEST(FolderTest, SplitsMayHoldImagesAndLabels) {
  const DataDirectory directory;
  directory.Write("classes.json", ManifestWith(R"(, "map": {"0": 0, "1": 1, "2": 1})"));
  directory.Write("train/images/a.png", SmallPicture());
  directory.Write("train/labels/a.png", SmallMask({0, 1, 2, 255, 0, 0, 0, 2}));
  directory.Write("test/images/a.png", SmallPicture());
  directory.Write("test/masks/a.png", SmallMask({}));
  const auto splits = ListSplits("folder:" + directory.path());
  ASSERT_THAT(splits, IsOk());
  EXPECT_THAT(*splits, ElementsAre("test", "train"));
  const auto picture = ReadFirst(directory);
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->labels.values, ElementsAre(0, 1, 1, 255, 0, 0, 0, 1));
}

TEST(FolderTest, EndingsTellPicturesFromMasks) {
  const DataDirectory directory;
  directory.Write("classes.json", ManifestWith(R"(, "image_ending": "_rgb", "mask_ending": "_mask", "ignore": 9)"));
  directory.Write("images/train/a_rgb.png", SmallPicture());
  directory.Write("images/train/a_depth.png", SmallPicture());
  directory.Write("masks/train/a_mask.png", SmallMask({9, 1, 0, 9, 0, 0, 0, 0}));
  const auto picture = ReadFirst(directory);
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->labels.values, ElementsAre(255, 1, 0, 255, 0, 0, 0, 0));
}

TEST(FolderTest, SixteenBitMasksAreMapped) {
  const DataDirectory directory;
  directory.Write("classes.json", ManifestWith(R"(, "ignore": [65535, 0], "map": {"300": 0, "1000": 1})"));
  directory.Write("images/train/a.png", SmallPicture());
  PngSpec spec;
  spec.width = 4;
  spec.height = 2;
  spec.depth = 16;
  spec.colour_type = 0;
  spec.rows = {0x01, 0x2c, 0x03, 0xe8, 0xff, 0xff, 0, 0, 0x01, 0x2c, 0x01, 0x2c, 0x01, 0x2c, 0x01, 0x2c};
  directory.Write("masks/train/a.png", MakePng(spec));
  const auto picture = ReadFirst(directory);
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->labels.values, ElementsAre(0, 1, 255, 255, 0, 0, 0, 0));
}

TEST(FolderTest, TheManifestIsReadStrictly) {
  const DataDirectory directory;
  directory.MakeFolder("images/train");
  EXPECT_THAT(ReadFirst(directory), HasStatus(absl::StatusCode::kInvalidArgument,
                                              directory.Of("classes.json") + ": missing; it names the classes"));
  const auto expect_refused = [&](const std::string& manifest, const std::string& reason) {
    directory.Write("classes.json", manifest);
    EXPECT_THAT(ReadFirst(directory),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr(directory.Of("classes.json") + ": " + reason)));
  };
  expect_refused("[]", "top level: must be an object");
  expect_refused("{}", "classes: ");
  expect_refused(ManifestWith(R"(, "ignored": 1)"), "ignored: ");
  expect_refused(ManifestWith(R"(, "ignore": 65536)"), "ignore: ");
  expect_refused(ManifestWith(R"(, "ignore": 1)"), "ignore: 1 is a class");
  expect_refused(ManifestWith(R"(, "map": {"0": 2})"), "map.0: ");
  expect_refused(ManifestWith(R"(, "map": {"01": 1})"), "map.01: the key must be a mask's value");
  expect_refused(ManifestWith(R"(, "map": {"255": 1})"), "map.255: is in \"ignore\" too");
  expect_refused(ManifestWith(R"(, "mask_ending": "../x")"), "mask_ending: must not have a slash");
}

}  // namespace
}  // namespace candor
