// SPDX-License-Identifier: Apache-2.0
//
// What all layouts have in common.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/data_directory.h"
#include "trainer/data/dataset.h"

namespace candor {
namespace {

using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// Two sound pairs, a and b.
class OpenDatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"a", "b"}) {
      directory_.Write("train/images/" + name + ".png", SmallPicture(name[0]));
      directory_.Write("train/labels/" + name + ".png", SmallMask({0, 1, 2, 3, 4, 5, 6, 7}));
    }
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open() const { return OpenDataset("camvid:" + directory_.path(), "train"); }
  absl::StatusOr<LabelledPicture> ReadFirst() const {
    const auto dataset = Open();
    if (!dataset.ok()) return dataset.status();
    return (*dataset)->Read(0);
  }
  std::string Fingerprint() const { return *(*Open())->Fingerprint(); }

  DataDirectory directory_;
};

TEST_F(OpenDatasetTest, TheLocationNeedsAKnownPrefixAndAFolder) {
  EXPECT_THAT(OpenDataset("coco:/x", "train"), HasStatus(kInvalid, HasSubstr("data: must be camvid:DIR")));
  EXPECT_THAT(OpenDataset("/x", "train"), HasStatus(kInvalid, HasSubstr("data: must be camvid:DIR")));
  EXPECT_THAT(OpenDataset("camvid:", "train"), HasStatus(kInvalid, HasSubstr("data: must be camvid:DIR")));
  EXPECT_THAT(OpenDataset("camvid:/nonexistent", "train"),
              HasStatus(absl::StatusCode::kNotFound, "/nonexistent: no such directory"));
}

TEST_F(OpenDatasetTest, AnUnknownSplitIsToldWhichThereAre) {
  EXPECT_THAT(OpenDataset("camvid:" + directory_.path(), "../train"),
              HasStatus(kInvalid, HasSubstr("no split \"../train\"; there are train")));
}

TEST_F(OpenDatasetTest, PicturesHaveTheirFilesNames) {
  const auto dataset = Open();
  ASSERT_THAT(dataset, IsOk());
  ASSERT_EQ((*dataset)->size(), 2);
  EXPECT_EQ((*dataset)->name(0), "a");
  const auto second = (*dataset)->Read(1);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->image.pixels[0], 'b');
}

TEST_F(OpenDatasetTest, AnEmptySplitIsRefused) {
  directory_.Remove("train");
  directory_.MakeFolder("train/images");
  directory_.MakeFolder("train/labels");
  EXPECT_THAT(Open(), HasStatus(kInvalid, directory_.Of("train/images") + ": no pictures"));
}

TEST_F(OpenDatasetTest, APictureWithoutMaskAndAMaskWithoutPictureAreRefused) {
  directory_.Remove("train/labels/b.png");
  EXPECT_THAT(Open(), HasStatus(kInvalid, directory_.Of("train/images/b.png") + ": has no mask"));
  directory_.Write("train/labels/b.png", SmallMask({}));
  directory_.Remove("train/images/a.png");
  EXPECT_THAT(Open(), HasStatus(kInvalid, directory_.Of("train/labels/a.png") + ": is the mask of no picture"));
}

TEST_F(OpenDatasetTest, SizesMustBeEqual) {
  PngSpec spec;
  spec.width = 2;
  spec.height = 4;
  directory_.Write("train/images/a.png", MakePng(spec));
  EXPECT_THAT(ReadFirst(), HasStatus(kInvalid, directory_.Of("train/labels/a.png") +
                                                   ": must have its picture's size, 2 x 4, is 4 x 2"));
}

TEST_F(OpenDatasetTest, SizesAreComparedUpright) {
  PngSpec spec;
  spec.width = 2;
  spec.height = 4;
  spec.exif_orientation = 6;
  directory_.Write("train/images/a.png", MakePng(spec));
  const auto picture = ReadFirst();
  ASSERT_THAT(picture, IsOk());
  EXPECT_EQ(picture->image.width, 4);
}

TEST_F(OpenDatasetTest, GreyAndAlphaPicturesBecomeRgb) {
  for (int colour_type : {0, 4, 6}) {
    PngSpec spec;
    spec.width = 4;
    spec.height = 2;
    spec.colour_type = colour_type;
    directory_.Write("train/images/a.png", MakePng(spec));
    const auto picture = ReadFirst();
    ASSERT_THAT(picture, IsOk());
    EXPECT_EQ(picture->image.pixels.size(), 24u);
  }
}

TEST_F(OpenDatasetTest, DamagedAndEmptyFilesAreNamed) {
  directory_.Write("train/images/a.png", "");
  EXPECT_THAT(ReadFirst(), HasStatus(kInvalid, directory_.Of("train/images/a.png") + ": image: empty"));
  directory_.Write("train/images/a.png", SmallPicture().substr(0, 50));
  EXPECT_THAT(ReadFirst(), HasStatus(kInvalid, HasSubstr("train/images/a.png: PNG: damaged")));
  directory_.Write("train/images/a.png", SmallPicture());
  directory_.Write("train/labels/a.png", "");
  EXPECT_THAT(ReadFirst(), HasStatus(kInvalid, directory_.Of("train/labels/a.png") + ": empty file"));
  directory_.Write("train/labels/a.png", SmallPicture());
  EXPECT_THAT(ReadFirst(), HasStatus(kInvalid, HasSubstr("train/labels/a.png: PNG: class indices must be grey")));
}

TEST_F(OpenDatasetTest, AMaskMayNotBeJpeg) {
  directory_.Remove("train/labels/a.png");
  directory_.Write("train/labels/a.jpg", MakeJpeg({}));
  EXPECT_THAT(ReadFirst(), HasStatus(kInvalid, directory_.Of("train/labels/a.jpg") +
                                                   ": a mask must be PNG: JPEG changes class indices"));
}

TEST_F(OpenDatasetTest, AValueOutOfRangeIsNamedWithItsFile) {
  directory_.Write("train/labels/a.png", SmallMask({0, 1, 12, 3, 4, 5, 6, 12}));
  EXPECT_THAT(ReadFirst(), HasStatus(kInvalid, directory_.Of("train/labels/a.png") +
                                                   ": value 12 is no class (2 pixels, first at x 2, y 0)"));
}

TEST_F(OpenDatasetTest, TheFingerprintFollowsNamesAndContents) {
  const std::string before = Fingerprint();
  EXPECT_EQ(before.size(), 64u);
  EXPECT_EQ(Fingerprint(), before);
  directory_.Write("train/labels/b.png", SmallMask({0, 1, 2, 3, 4, 5, 6, 8}));
  const std::string changed = Fingerprint();
  EXPECT_NE(changed, before);
  directory_.Write("train/labels/b.png", SmallMask({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(Fingerprint(), before);
  std::filesystem::rename(directory_.Of("train/images/b.png"), directory_.Of("train/images/c.png"));
  std::filesystem::rename(directory_.Of("train/labels/b.png"), directory_.Of("train/labels/c.png"));
  EXPECT_NE(Fingerprint(), before);
}

// printf 'a\nSIZE SHA\nSIZE SHA\n' | sha256sum, with sha256sum's and wc's figures of files that hold "abc" and "".
TEST_F(OpenDatasetTest, TheFingerprintIsTheHashOfAListing) {
  directory_.Remove("train");
  directory_.Write("train/images/a.png", "abc");
  directory_.Write("train/labels/a.png", "");
  EXPECT_EQ(Fingerprint(), "69f7ba1b18dcb1a5e3af22ca0d87e5b934096b7039fe35e4d6aca2546ee13997");
}

TEST_F(OpenDatasetTest, AFingerprintOfAVanishedFileIsDataLoss) {
  const auto dataset = Open();
  ASSERT_THAT(dataset, IsOk());
  directory_.Remove("train/labels/b.png");
  EXPECT_THAT((*dataset)->Read(1), HasStatus(absl::StatusCode::kDataLoss, HasSubstr("train/labels/b.png")));
  EXPECT_THAT((*dataset)->Fingerprint(), HasStatus(absl::StatusCode::kDataLoss, HasSubstr("train/labels/b.png")));
}

}  // namespace
}  // namespace candor
