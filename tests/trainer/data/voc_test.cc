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

TEST(VocTest, ThePaletteIndexIsTheClass) {
  const DataDirectory directory;
  JpegSpec jpeg;
  jpeg.width = 4;
  jpeg.height = 2;
  directory.Write("JPEGImages/2007_000032.jpg", MakeJpeg(jpeg));
  directory.Write("JPEGImages/2007_000027.jpg", MakeJpeg(jpeg));  // in no list, without a mask
  directory.Write("SegmentationClass/2007_000032.png", SmallPaletteMask({0, 1, 20, 255, 0, 0, 0, 15}));
  directory.Write("ImageSets/Segmentation/train.txt", "2007_000032\n");
  directory.Write("ImageSets/Segmentation/val.txt", "\n");
  const auto splits = ListSplits("voc:" + directory.path());
  ASSERT_THAT(splits, IsOk());
  EXPECT_THAT(*splits, ElementsAre("train", "val"));
  const auto dataset = OpenDataset("voc:" + directory.path(), "train");
  ASSERT_THAT(dataset, IsOk());
  EXPECT_EQ((*dataset)->classes()[15].name, "person");
  ASSERT_EQ((*dataset)->size(), 1);
  const auto picture = (*dataset)->Read(0);
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->labels.values, ElementsAre(0, 1, 20, 255, 0, 0, 0, 15));
  EXPECT_THAT(OpenDataset("voc:" + directory.path(), "val"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("val.txt: names no pictures")));
}

TEST(VocTest, AListMayNotLeadOutOfTheFolder) {
  const DataDirectory directory;
  directory.Write("ImageSets/Segmentation/train.txt", "../../secret\n");
  EXPECT_THAT(OpenDataset("voc:" + directory.path(), "train"),
              HasStatus(absl::StatusCode::kInvalidArgument,
                        HasSubstr("train.txt: line 1: \"../../secret\" is no plain file name")));
}

TEST(VocTest, AListedPictureWithoutMaskIsRefused) {
  const DataDirectory directory;
  directory.Write("JPEGImages/a.jpg", MakeJpeg({}));
  directory.MakeFolder("SegmentationClass");
  directory.Write("ImageSets/Segmentation/train.txt", "a\n");
  EXPECT_THAT(OpenDataset("voc:" + directory.path(), "train"),
              HasStatus(absl::StatusCode::kInvalidArgument,
                        directory.Of("SegmentationClass/a") + ": no .png, .jpg or .jpeg of this name"));
}

}  // namespace
}  // namespace candor
