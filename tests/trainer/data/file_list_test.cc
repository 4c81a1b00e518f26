// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/file_list.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/data_directory.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

DataFolder OpenFolder(const DataDirectory& directory) { return *DataFolder::Open(directory.path()); }

TEST(DataFolderTest, AFolderThatIsNotThereIsNotFound) {
  EXPECT_THAT(DataFolder::Open("/nonexistent/data"),
              HasStatus(absl::StatusCode::kNotFound, "/nonexistent/data: no such directory"));
}

TEST(DataFolderTest, PicturesAreListedByStemWithoutOtherAndHiddenFiles) {
  const DataDirectory directory;
  for (const char* name : {"b_x.png", "a_x.JPG", "c_x.jpeg", "d.png", "notes.txt", ".hidden_x.png", "_x.png"}) {
    directory.Write(std::string("images/") + name, "1");
  }
  const auto files = OpenFolder(directory).Pictures("images", "_x");
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(*files,
              ElementsAre(Field(&NamedFile::stem, "a"), Field(&NamedFile::stem, "b"), Field(&NamedFile::stem, "c")));
  EXPECT_EQ((*files)[0].path, directory.Of("images/a_x.JPG"));
}

TEST(DataFolderTest, TwoFilesOfOneStemAreRefused) {
  const DataDirectory directory;
  directory.Write("images/a.png", "1");
  directory.Write("images/a.jpg", "1");
  EXPECT_THAT(OpenFolder(directory).Pictures("images", ""),
              HasStatus(absl::StatusCode::kInvalidArgument,
                        directory.Of("images/a.png") + ": has the same name as " + directory.Of("images/a.jpg")));
  EXPECT_THAT(OpenFolder(directory).Picture("images/a"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("has the same name as")));
}

TEST(DataFolderTest, LinksAreFollowedInsideTheFolderOnly) {
  const DataDirectory outside;
  outside.Write("secret.png", "1");
  const DataDirectory directory;
  directory.Write("pool/a.png", "1");
  directory.Link("images/a.png", "../pool/a.png");
  EXPECT_THAT(OpenFolder(directory).Pictures("images", ""), IsOk());
  directory.Link("images/b.png", outside.Of("secret.png"));
  EXPECT_THAT(OpenFolder(directory).Pictures("images", ""),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("outside the data folder")));
  directory.Link("other", outside.path());
  EXPECT_THAT(OpenFolder(directory).Pictures("other", ""),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("outside the data folder")));
  EXPECT_THAT(OpenFolder(directory).Picture("other/secret"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("outside the data folder")));
  directory.Link("list.txt", outside.Of("secret.png"));
  EXPECT_THAT(OpenFolder(directory).ReadText("list.txt"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("outside the data folder")));
}

TEST(DataFolderTest, TheFolderItselfMayBeALink) {
  const DataDirectory directory;
  directory.Write("pool/images/a.png", "1");
  directory.Link("link", directory.Of("pool"));
  const auto folder = DataFolder::Open(directory.Of("link/"));
  ASSERT_THAT(folder, IsOk());
  const auto files = folder->Pictures("images", "");
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ((*files)[0].path, directory.Of("link/images/a.png"));
}

TEST(DataFolderTest, ALinkToNowhereAndAFolderCalledLikeAPictureAreRefused) {
  const DataDirectory directory;
  directory.Link("images/a.png", "nowhere.png");
  EXPECT_THAT(OpenFolder(directory).Pictures("images", ""),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("link to nowhere")));
  directory.Remove("images");
  directory.MakeFolder("images/a.png");
  EXPECT_THAT(OpenFolder(directory).Pictures("images", ""),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("not a regular file")));
}

TEST(PathForMessageTest, ALongPathIsWholeAndAnOddOneOnOneLine) {
  const std::string path = "/data/" + std::string(300, 'x') + "/gr\xc3\xbcn.png";
  EXPECT_EQ(PathForMessage(path), path);
  EXPECT_EQ(PathForMessage("a\nb"), "a\\nb");
  EXPECT_EQ(PathForMessage("a\xff"), "a\\xff");
}

TEST(PairByStemTest, PairsAreInOrderOfTheirNames) {
  const auto pairs = PairByStem({{"a", "i/a.png"}, {"b", "i/b.png"}}, {{"b", "m/b.png"}, {"a", "m/a.png"}}, "i");
  ASSERT_THAT(pairs, IsOk());
  ASSERT_EQ(pairs->size(), 2u);
  EXPECT_EQ((*pairs)[0].name, "a");
  EXPECT_EQ((*pairs)[1].image_path, "i/b.png");
  EXPECT_EQ((*pairs)[1].mask_path, "m/b.png");
}

TEST(PairByStemTest, WhatHasNoPartnerIsNamedAndCounted) {
  EXPECT_THAT(PairByStem({{"a", "i/a.png"}, {"b", "i/b.png"}, {"c", "i/c.png"}}, {{"a", "m/a.png"}}, "i"),
              HasStatus(absl::StatusCode::kInvalidArgument, "i/b.png: has no mask (2 such files)"));
  EXPECT_THAT(PairByStem({{"a", "i/a.png"}}, {{"a", "m/a.png"}, {"b", "m/b.png"}}, "i"),
              HasStatus(absl::StatusCode::kInvalidArgument, "m/b.png: is the mask of no picture"));
  EXPECT_THAT(PairByStem({}, {}, "i"), HasStatus(absl::StatusCode::kInvalidArgument, "i: no pictures"));
  EXPECT_THAT(PairByStem({{"a", "x/a.png"}, {"a", "y/a.png"}}, {{"a", "m/a.png"}}, "i"),
              HasStatus(absl::StatusCode::kInvalidArgument, "y/a.png: has the same name as x/a.png"));
}

TEST(NamesFromListTest, BlankLinesAndLineEndsAreSkipped) {
  const auto names = NamesFromList("2007_000032\r\n\n  2007_000039 \n", "list");
  ASSERT_THAT(names, IsOk());
  EXPECT_THAT(*names, ElementsAre("2007_000032", "2007_000039"));
}

TEST(NamesFromListTest, NamesThatCouldLeadElsewhereAreRefused) {
  for (const char* name : {"../a", "a/b", "/etc/passwd", "..", ".hidden", "a\\b", "a\x01z"}) {
    EXPECT_THAT(NamesFromList(std::string("fine\n") + name + "\n", "list"),
                HasStatus(absl::StatusCode::kInvalidArgument, testing::StartsWith("list: line 2: ")))
        << name;
  }
  EXPECT_THAT(NamesFromList("a\nb\na", "list"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("comes twice")));
}

}  // namespace
}  // namespace candor
