// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/picture_files.h"

#include <cmath>

#include "core/base/file.h"
#include "core/image/decode.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Maps {
  Image picture;
  ByteMap labels;
  ByteMap truth;
  FloatMap uncertainty;

  PictureMaps View() const { return {picture, labels, truth, uncertainty}; }
};

// A mid-grey picture without an error.
Maps MapsOf(int width, int height) {
  const size_t pixels = static_cast<size_t>(width) * height;
  return {{width, height, std::vector<uint8_t>(3 * pixels, 160)},
          {width, height, std::vector<uint8_t>(pixels, 0)},
          {width, height, std::vector<uint8_t>(pixels, 0)},
          {width, height, std::vector<float>(pixels, 0)}};
}

const std::vector<ClassSpec> kClasses = {{"road", {128, 64, 128}}, {"sky", {70, 130, 180}}};

Image Read(const std::string& directory, const std::string& file) {
  const absl::StatusOr<std::string> bytes = ReadFile(directory + "/" + file, 1 << 20);
  EXPECT_THAT(bytes, IsOk());
  const absl::StatusOr<Image> image = DecodeImage(*bytes, {});
  EXPECT_THAT(image, IsOk());
  return *image;
}

Colour At(const Image& image, int x, int y) {
  const uint8_t* pixel = &image.pixels[3 * (static_cast<size_t>(y) * image.width + x)];
  return {pixel[0], pixel[1], pixel[2]};
}

class WritePictureFilesTest : public testing::Test {
 protected:
  const std::string directory_ = testing::TempDir() + "picture_files_test";
};

TEST_F(WritePictureFilesTest, MapsShowWhatTheyHold) {
  Maps maps = MapsOf(4, 2);
  maps.labels.values = {0, 1, 0, 1, 1, 1, 0, 0};
  maps.truth.values = {0, 0, kIgnoreLabel, 1, 1, 1, 1, 0};
  maps.uncertainty.values = {0, 0.5, 0, 0, 0, 0, 0, 1};
  const auto figures = WritePictureFiles(directory_, "pictures", "plain", maps.View(), 1, kClasses);
  ASSERT_THAT(figures, IsOk());
  EXPECT_EQ(figures->picture_file, "pictures/plain_picture.jpg");

  const Image labels = Read(directory_, figures->labels_file);
  EXPECT_EQ(At(labels, 0, 0), (Colour{128, 64, 128}));
  EXPECT_EQ(At(labels, 1, 0), (Colour{70, 130, 180}));
  EXPECT_EQ(At(Read(directory_, figures->truth_file), 2, 0), (Colour{0, 0, 0}));

  const Image errors = Read(directory_, figures->error_file);
  EXPECT_EQ(At(errors, 1, 0), (Colour{255, 48, 48}));
  EXPECT_EQ(At(errors, 2, 0), (Colour{128, 128, 128}));
  const Colour right = At(errors, 0, 0);
  EXPECT_TRUE(right.red == right.green && right.green == right.blue);
  EXPECT_LT(right.red, 80);  // half of 160

  const Image uncertainty = Read(directory_, figures->uncertainty_file);
  const auto sum = [](const Colour& colour) { return colour.red + colour.green + colour.blue; };
  EXPECT_LT(sum(At(uncertainty, 0, 0)), sum(At(uncertainty, 1, 0)));
  EXPECT_LT(sum(At(uncertainty, 1, 0)), sum(At(uncertainty, 3, 1)));

  const Image picture = Read(directory_, figures->picture_file);
  EXPECT_NEAR(At(picture, 0, 0).red, 160, 3);
}

// Seven labelled pixels, two of them wrong. Class 0: right 2, in either 4; class 1: right 3, in either 5.
TEST_F(WritePictureFilesTest, FiguresAreThoseOfThePicture) {
  Maps maps = MapsOf(4, 2);
  maps.labels.values = {0, 1, 0, 1, 1, 1, 0, 0};
  maps.truth.values = {0, 0, kIgnoreLabel, 1, 1, 1, 1, 0};
  maps.uncertainty.values = {0, 0.5, 0.5, 0, 0, 0, 0, 1};
  const auto figures = WritePictureFiles(directory_, "pictures", "figures", maps.View(), 1, kClasses);
  ASSERT_THAT(figures, IsOk());
  EXPECT_EQ(figures->name, "figures");
  EXPECT_DOUBLE_EQ(figures->accuracy, 5.0 / 7);
  EXPECT_DOUBLE_EQ(figures->miou, (2.0 / 4 + 3.0 / 5) / 2);
  EXPECT_DOUBLE_EQ(figures->mean_uncertainty, 0.25);
}

TEST_F(WritePictureFilesTest, OnlyVoidHasNoAccuracy) {
  Maps maps = MapsOf(2, 2);
  maps.truth.values.assign(4, kIgnoreLabel);
  const auto figures = WritePictureFiles(directory_, "pictures", "void", maps.View(), 1, kClasses);
  ASSERT_THAT(figures, IsOk());
  EXPECT_TRUE(std::isnan(figures->accuracy));
  EXPECT_TRUE(std::isnan(figures->miou));
}

// 2048 x 1024 becomes 480 x 240. The left half is class 0, the right half class 1; the mean of black and white columns
// is grey.
TEST_F(WritePictureFilesTest, WidePicturesShrink) {
  Maps maps = MapsOf(2048, 1024);
  for (size_t i = 0; i < maps.labels.values.size(); ++i) {
    maps.labels.values[i] = maps.truth.values[i] = i % 2048 < 1024 ? 0 : 1;
    for (size_t c = 0; c < 3; ++c) maps.picture.pixels[3 * i + c] = i % 2 == 0 ? 0 : 255;
  }
  const auto figures = WritePictureFiles(directory_, "pictures", "wide", maps.View(), 1, kClasses);
  ASSERT_THAT(figures, IsOk());
  const Image labels = Read(directory_, figures->labels_file);
  EXPECT_EQ(labels.width, 480);
  EXPECT_EQ(labels.height, 240);
  EXPECT_EQ(At(labels, 239, 100), (Colour{128, 64, 128}));
  EXPECT_EQ(At(labels, 240, 100), (Colour{70, 130, 180}));
  EXPECT_NEAR(At(Read(directory_, figures->picture_file), 200, 100).green, 128, 30);
}

TEST_F(WritePictureFilesTest, NamesStayBelowTheFolderAndApart) {
  const Maps maps = MapsOf(2, 2);
  const auto first = WritePictureFiles(directory_, "pictures", "../../a/b", maps.View(), 1, kClasses);
  const auto second = WritePictureFiles(directory_, "pictures", "../../a_b", maps.View(), 1, kClasses);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(first->picture_file, StartsWith("pictures/_"));
  EXPECT_NE(first->picture_file, second->picture_file);
  EXPECT_EQ(first->name, "../../a/b");
}

TEST_F(WritePictureFilesTest, SizesMustAgree) {
  Maps maps = MapsOf(4, 2);
  maps.truth = ByteMap{2, 4, std::vector<uint8_t>(8, 0)};
  EXPECT_THAT(WritePictureFiles(directory_, "pictures", "odd", maps.View(), 1, kClasses),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("odd: picture, labels, truth")));
  EXPECT_THAT(WritePictureFiles(directory_, "pictures", "none", Maps().View(), 1, kClasses),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("at least one pixel")));
}

}  // namespace
}  // namespace candor
