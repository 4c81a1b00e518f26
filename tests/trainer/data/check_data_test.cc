// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/check_data.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/data_directory.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

void WritePair(const DataDirectory& directory, const std::string& split, const std::string& name,
               const std::string& picture, const std::string& mask) {
  directory.Write(split + "/images/" + name + ".png", picture);
  directory.Write(split + "/labels/" + name + ".png", mask);
}

std::string LocationOf(const DataDirectory& directory) { return "camvid:" + directory.path(); }

TEST(CheckDataTest, PixelsAreCountedByClassAndSplit) {
  const DataDirectory directory;
  WritePair(directory, "train", "a", SmallPicture(1), SmallMask({0, 0, 0, 1, 11, 11, 2, 2}));
  WritePair(directory, "train", "b", SmallPicture(2), SmallMask({0, 0, 0, 0, 0, 0, 0, 10}));
  WritePair(directory, "val", "c", SmallPicture(3), SmallMask({0, 1, 2, 3, 4, 5, 6, 7}));
  const auto report = CheckData(LocationOf(directory));
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->splits, SizeIs(2));
  const SplitReport& train = report->splits[0];
  EXPECT_EQ(train.split, "train");
  EXPECT_EQ(train.pictures, 2);
  EXPECT_EQ(train.pixels, 16);
  EXPECT_THAT(train.class_pixels, ElementsAre(10, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1));
  EXPECT_EQ(train.void_pixels, 2);
  EXPECT_THAT(train.MissingClasses(), ElementsAre(3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(train.sizes, ElementsAre(testing::Pair(testing::Pair(4, 2), 2)));
  EXPECT_THAT(report->splits[1].MissingClasses(), ElementsAre(8, 9, 10));
  EXPECT_EQ(report->error_count, 0);
  EXPECT_THAT(report->equal_pictures, SizeIs(0));
}

TEST(CheckDataTest, EqualPicturesAreFoundWhateverTheirNamesAndMasks) {
  const DataDirectory directory;
  const std::string mask = SmallMask({0, 0, 0, 0, 0, 0, 0, 0});
  WritePair(directory, "train", "a", SmallPicture(1), mask);
  WritePair(directory, "train", "b", SmallPicture(1), mask);
  WritePair(directory, "train", "c", SmallPicture(2), mask);
  WritePair(directory, "val", "d", SmallPicture(2), SmallMask({1, 1, 1, 1, 1, 1, 1, 1}));
  WritePair(directory, "val", "e", SmallPicture(1), mask);
  const auto report = CheckData(LocationOf(directory));
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->equal_pictures, SizeIs(2));
  const EqualPictures& within = report->equal_pictures[0];
  EXPECT_EQ(within.split, "train");
  EXPECT_EQ(within.other_split, "train");
  EXPECT_EQ(within.count, 1);
  const EqualPictures& across = report->equal_pictures[1];
  EXPECT_EQ(across.split, "train");
  EXPECT_EQ(across.other_split, "val");
  EXPECT_EQ(across.count, 2);
  EXPECT_EQ(across.name, "c");
  EXPECT_EQ(across.other_name, "d");
  EXPECT_EQ(report->error_count, 0);
}

TEST(CheckDataTest, AllErrorsAreCountedAndTheFirstTwentyKept) {
  const DataDirectory directory;
  for (int i = 0; i < 25; ++i) {
    WritePair(directory, "train", "p" + std::to_string(100 + i), SmallPicture(i), SmallMask({77, 0, 0, 0, 0, 0, 0, 0}));
  }
  WritePair(directory, "val", "a", SmallPicture(1), SmallMask({0, 0, 0, 0, 0, 0, 0, 0}));
  directory.Remove("val/labels/a.png");
  WritePair(directory, "test", "fine", SmallPicture(1), SmallMask({0, 0, 0, 0, 0, 0, 0, 0}));
  const auto report = CheckData(LocationOf(directory));
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->error_count, 26);
  EXPECT_THAT(report->errors, SizeIs(DataReport::kMaxErrors));
  EXPECT_THAT(report->errors[0], HasSubstr("train/labels/p100.png: value 77 is no class"));
  EXPECT_THAT(DataReportText(*report), HasSubstr("\nerrors: 26\n"));
  EXPECT_THAT(DataReportText(*report), HasSubstr("  and 6 more\n"));
  EXPECT_EQ(report->splits[0].pictures, 1);
}

TEST(CheckDataTest, ALocationWithoutSplitsFails) {
  const DataDirectory directory;
  EXPECT_THAT(CheckData(LocationOf(directory)),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("no split found")));
  EXPECT_THAT(CheckData("camvid:/nonexistent"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("no such directory")));
}

}  // namespace
}  // namespace candor
