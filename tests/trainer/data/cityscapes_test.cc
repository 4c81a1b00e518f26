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

constexpr char kImage[] = "leftImg8bit/val/lindau/lindau_000000_000019_leftImg8bit.png";
constexpr char kTruth[] = "gtFine/val/lindau/lindau_000000_000019_gtFine_";

absl::StatusOr<LabelledPicture> ReadFirst(const DataDirectory& directory) {
  const auto dataset = OpenDataset("cityscapes:" + directory.path(), "val");
  if (!dataset.ok()) return dataset.status();
  EXPECT_EQ((*dataset)->classes().size(), 19u);
  EXPECT_EQ((*dataset)->name(0), "lindau_000000_000019");
  return (*dataset)->Read(0);
}

TEST(CityscapesTest, LabelIdsBecomeTrainingIds) {
  const DataDirectory directory;
  directory.Write(kImage, SmallPicture());
  directory.Write(kTruth + std::string("labelIds.png"), SmallMask({7, 8, 11, 33, 0, 29, 30, 26}));
  directory.Write(kTruth + std::string("color.png"), SmallPicture());
  directory.Write(kTruth + std::string("instanceIds.png"), SmallMask({}));
  directory.Write(kTruth + std::string("polygons.json"), "{}");
  const auto picture = ReadFirst(directory);
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->labels.values, ElementsAre(0, 1, 2, 18, 255, 255, 255, 13));
}

TEST(CityscapesTest, ALabelIdBeyondTheListIsRefused) {
  const DataDirectory directory;
  directory.Write(kImage, SmallPicture());
  directory.Write(kTruth + std::string("labelIds.png"), SmallMask({7, 7, 7, 7, 7, 34, 7, 7}));
  EXPECT_THAT(ReadFirst(directory), HasStatus(absl::StatusCode::kInvalidArgument,
                                              HasSubstr("value 34 is no class (1 pixel, first at x 1, y 1)")));
}

TEST(CityscapesTest, TrainingIdsAreReadAsTheyAre) {
  const DataDirectory directory;
  directory.Write(kImage, SmallPicture());
  directory.Write(kTruth + std::string("labelTrainIds.png"), SmallMask({0, 1, 18, 255, 4, 5, 6, 7}));
  const auto picture = ReadFirst(directory);
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->labels.values, ElementsAre(0, 1, 18, 255, 4, 5, 6, 7));
}

TEST(CityscapesTest, LabelIdsInAFileOfTrainingIdsAreRecognised) {
  const DataDirectory directory;
  directory.Write(kImage, SmallPicture());
  directory.Write(kTruth + std::string("labelTrainIds.png"), SmallMask({7, 7, 7, 26, 7, 7, 7, 7}));
  EXPECT_THAT(ReadFirst(directory), HasStatus(absl::StatusCode::kInvalidArgument,
                                              HasSubstr("value 26 is no class (1 pixel, first at x 3, y 0): looks "
                                                        "like labelIds")));
}

TEST(CityscapesTest, CitiesTogetherMakeASplit) {
  const DataDirectory directory;
  for (const std::string name : {"ulm/ulm_1_2", "bonn/bonn_1_2"}) {
    directory.Write("leftImg8bit/train/" + name + "_leftImg8bit.jpg", MakeJpeg({}));
    directory.Write("gtCoarse/train/" + name + "_gtCoarse_labelIds.png", SmallMask({}));
  }
  const auto dataset = OpenDataset("cityscapes:" + directory.path(), "train");
  ASSERT_THAT(dataset, IsOk());
  ASSERT_EQ((*dataset)->size(), 2);
  EXPECT_EQ((*dataset)->name(0), "bonn_1_2");
  EXPECT_EQ((*dataset)->name(1), "ulm_1_2");
}

TEST(CityscapesTest, AMissingMaskIsNamed) {
  const DataDirectory directory;
  directory.Write(kImage, SmallPicture());
  directory.MakeFolder("gtFine/val/lindau");
  EXPECT_THAT(ReadFirst(directory),
              HasStatus(absl::StatusCode::kInvalidArgument, directory.Of(kImage) + ": has no mask"));
}

}  // namespace
}  // namespace candor
