// SPDX-License-Identifier: Apache-2.0
#include "client/cli/pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/client/cli/run_candor.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(OutputStemTest, IsTheNameWithoutFolderAndEnding) {
  EXPECT_EQ(OutputStem("data/street.jpg"), "street");
  EXPECT_EQ(OutputStem("a.b.png"), "a.b");
  EXPECT_EQ(OutputStem("noending"), "noending");
  EXPECT_EQ(OutputStem("-"), "stdin");
}

TEST(OutputPathTest, JoinsFolderAndSuffix) {
  EXPECT_EQ(OutputPath("out", "a", "_labels.png"), "out/a_labels.png");
  EXPECT_EQ(OutputPath("out/", "a", ".json"), "out/a.json");
}

TEST(CheckPicturesTest, RefusesTwoPicturesOfOneName) {
  EXPECT_THAT(CheckPictures({"a/x.jpg", "b/x.png"}, "out", {".json"}),
              HasStatus(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("a/x.jpg"), HasSubstr("b/x.png"))));
  EXPECT_THAT(CheckPictures({"stdin.png", "-"}, "out", {".json"}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("stdin_")));
  EXPECT_THAT(CheckPictures({"a/x.jpg", "b/x.png"}, "", {".json"}), IsOk());
  EXPECT_THAT(CheckPictures({"a/x.jpg", "b/y.png", "-"}, "out", {".json"}), IsOk());
}

TEST(CheckPicturesTest, RefusesStandardInputTwice) {
  EXPECT_THAT(CheckPictures({"-", "-"}, "", {}), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("twice")));
}

TEST(CheckPicturesTest, NeverOverwritesAPicture) {
  const TempFolder folder;
  const std::string picture = folder.AddPicture("a.png");
  const std::string other = folder.AddPicture("a_labels.png");
  EXPECT_THAT(CheckPictures({picture, other}, folder.path("."), {"_labels.png"}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("would overwrite IMAGE " + other)));
  EXPECT_THAT(CheckPictures({picture}, folder.path(), {"_labels.png"}), IsOk());
}

TEST(ExpandFoldersTest, TakesPicturesByNameAndLeavesTheirTruthOut) {
  const TempFolder folder;
  for (const char* name : {"b.png", "a.JPG", "a_truth.png", "c_TRUTH.png", "truth.jpeg", "notes.txt"}) {
    folder.AddPicture(name);
  }
  EXPECT_THAT(*ExpandFolders({folder.path(), folder.path("a_truth.png")}),
              ElementsAre(folder.path("a.JPG"), folder.path("b.png"), folder.path("c_TRUTH.png"),
                          folder.path("truth.jpeg"), folder.path("a_truth.png")))
      << "a file that is named is taken";
  const TempFolder truths;
  truths.AddPicture("a_truth.png");
  EXPECT_THAT(ExpandFolders({truths.path()}), HasStatus(absl::StatusCode::kDataLoss, HasSubstr("has no .jpg")));
}

TEST(ReadPictureTest, ReadsStandardInputToItsEnd) {
  std::istringstream in(std::string(200'000, 'x') + std::string("\0end", 4));
  const auto bytes = ReadPicture("-", in);
  ASSERT_THAT(bytes, IsOk());
  EXPECT_EQ(*bytes, std::string(200'000, 'x') + std::string("\0end", 4));
}

TEST(ReadPictureTest, FilesThatCannotBeReadAreDataLoss) {
  const TempFolder folder;
  std::istringstream in;
  EXPECT_THAT(ReadPicture(folder.path("none.png"), in), HasStatus(absl::StatusCode::kDataLoss, HasSubstr("none.png")));
  EXPECT_THAT(ReadPicture(folder.path(), in), HasStatus(absl::StatusCode::kDataLoss, HasSubstr("directory")));
}

TEST(DecodeForOverlayTest, RefusesAPictureOfAnotherSizeThanTheMaps) {
  const TempFolder folder;
  folder.AddPicture("a.png", 4, 2);
  EXPECT_THAT(DecodeForOverlay(folder.Read("a.png"), 4, 2), IsOk());
  EXPECT_THAT(DecodeForOverlay(folder.Read("a.png"), 2, 4),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("the picture is 4x2, but the server's maps are 2x4")));
}

}  // namespace
}  // namespace candor
