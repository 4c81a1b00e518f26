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

std::string LocationOf(const DataDirectory& directory) { return "camvid:" + directory.path(); }

std::vector<uint8_t> LabelsOf(const DataDirectory& directory, const std::string& split) {
  const auto dataset = OpenDataset(LocationOf(directory), split);
  EXPECT_THAT(dataset, IsOk());
  if (!dataset.ok()) return {};
  EXPECT_EQ((*dataset)->classes().size(), 11u);
  EXPECT_EQ((*dataset)->size(), 1);
  EXPECT_EQ((*dataset)->name(0), "0001TP_006690");
  const auto picture = (*dataset)->Read(0);
  EXPECT_THAT(picture, IsOk());
  return picture.ok() ? picture->labels.values : std::vector<uint8_t>();
}

TEST(CamvidTest, SubfoldersHoldIndicesWithVoidEleven) {
  const DataDirectory directory;
  directory.Write("train/images/0001TP_006690.png", SmallPicture());
  directory.Write("train/labels/0001TP_006690.png", SmallMask({0, 1, 10, 11, 255, 5, 5, 5}));
  EXPECT_THAT(LabelsOf(directory, "train"), ElementsAre(0, 1, 10, 255, 255, 5, 5, 5));
}

TEST(CamvidTest, AnnotFoldersHoldIndicesWithVoidEleven) {
  const DataDirectory directory;
  directory.Write("val/0001TP_006690.png", SmallPicture());
  directory.Write("valannot/0001TP_006690.png", SmallPaletteMask({0, 1, 10, 11, 0, 5, 5, 5}));
  EXPECT_THAT(LabelsOf(directory, "val"), ElementsAre(0, 1, 10, 255, 0, 5, 5, 5));
  EXPECT_THAT(OpenDataset(LocationOf(directory), "train"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("no split \"train\"; there are val")));
}

TEST(CamvidTest, ColourFoldersHoldThe32OriginalClasses) {
  const DataDirectory directory;
  directory.Write("test/0001TP_006690.png", SmallPicture());
  // Sky, bridge, lane marking, road shoulder, truck, animal, motorcycle, void.
  const std::string mask = SmallColourMask({{128, 128, 128},
                                            {0, 128, 64},
                                            {128, 0, 192},
                                            {128, 128, 192},
                                            {192, 128, 192},
                                            {64, 128, 64},
                                            {192, 0, 192},
                                            {0, 0, 0}});
  directory.Write("test_labels/0001TP_006690_L.png", mask);
  EXPECT_THAT(LabelsOf(directory, "test"), ElementsAre(0, 1, 3, 4, 8, 9, 10, 255));
  directory.Remove("test_labels");
  directory.Write("test_labels/0001TP_006690.png", mask);
  EXPECT_THAT(LabelsOf(directory, "test"), ElementsAre(0, 1, 3, 4, 8, 9, 10, 255));
}

TEST(CamvidTest, AnUnknownColourIsNamedWithFileAndPixel) {
  const DataDirectory directory;
  directory.Write("test/a.png", SmallPicture());
  const std::vector<uint8_t> sky = {128, 128, 128};
  directory.Write("test_labels/a_L.png", SmallColourMask({sky, sky, sky, sky, sky, sky, {1, 2, 3}, sky}));
  const auto dataset = OpenDataset(LocationOf(directory), "test");
  ASSERT_THAT(dataset, IsOk());
  EXPECT_THAT((*dataset)->Read(0), HasStatus(absl::StatusCode::kInvalidArgument,
                                             directory.Of("test_labels/a_L.png") +
                                                 ": colour (1, 2, 3) is no class (1 pixel, first at x 2, y 1)"));
}

TEST(CamvidTest, TheOriginalFoldersAreOneSplitOrThoseOfLists) {
  const DataDirectory directory;
  const std::vector<uint8_t> sky = {128, 128, 128};
  for (const std::string name : {"0001TP_006690", "0016E5_07959"}) {
    directory.Write("701_StillsRaw_full/" + name + ".png", SmallPicture());
    directory.Write("LabeledApproved_full/" + name + "_L.png",
                    SmallColourMask(std::vector<std::vector<uint8_t>>(8, sky)));
  }
  auto all = OpenDataset(LocationOf(directory), "all");
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ((*all)->size(), 2);
  directory.Write("train.txt", "/SegNet/CamVid/train/0001TP_006690.png /SegNet/CamVid/trainannot/0001TP_006690.png\n");
  EXPECT_THAT(LabelsOf(directory, "train"), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0));
  directory.Write("val.txt", "0016E5_07959\nmissing\n");
  EXPECT_THAT(OpenDataset(LocationOf(directory), "val"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("val.txt: names 2 pictures, of which 1 are in")));
  directory.Write("test.txt", "x/../..\n");
  EXPECT_THAT(OpenDataset(LocationOf(directory), "test"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("no plain file name")));
}

TEST(CamvidTest, AnotherFolderIsToldWhatIsNeeded) {
  const DataDirectory directory;
  directory.Write("pictures/a.png", SmallPicture());
  EXPECT_THAT(ListSplits(LocationOf(directory)),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("no split found: camvid needs SPLIT/images")));
}

}  // namespace
}  // namespace candor
