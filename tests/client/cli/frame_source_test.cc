// SPDX-License-Identifier: Apache-2.0
#include "client/cli/frame_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/client/cli/run_candor.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

// PATH is this folder and, if `keeps_rest`, what it was.
class Path {
 public:
  Path(const std::string& folder, bool keeps_rest) : old_(std::getenv("PATH")) {
    setenv("PATH", (keeps_rest ? absl::StrCat(folder, ":", old_) : folder).c_str(), 1);
  }
  ~Path() { setenv("PATH", old_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  const std::string old_;
};

// A stand-in for ffmpeg that does `script`.
void AddFfmpeg(const TempFolder& folder, const std::string& script) {
  ASSERT_THAT(WriteFileAtomically(folder.path("ffmpeg"), absl::StrCat("#!/bin/sh\n", script, "\n")), IsOk());
  std::filesystem::permissions(folder.path("ffmpeg"), std::filesystem::perms::owner_all);
}

TEST(FrameSourceTest, AFolderIsPlayedByNameAndAgain) {
  const TempFolder folder;
  folder.AddPicture("b.png");
  folder.AddPicture("a.png", 8, 8);
  const auto source = OpenFrameSource(folder.path(), 10);
  ASSERT_THAT(source, IsOk());
  EXPECT_EQ((*source)->names().size(), 2u);
  for (int round = 0; round < 2; ++round) {
    const auto first = (*source)->Next();
    ASSERT_THAT(first, IsOk());
    EXPECT_EQ((*first)->name, folder.path("a.png"));
    EXPECT_EQ((*first)->file_bytes, folder.Read("a.png"));
    EXPECT_EQ((*(*source)->Next())->name, folder.path("b.png"));
    EXPECT_EQ(*(*source)->Next(), nullptr);
  }
}

TEST(FrameSourceTest, AVideoIsWhatFfmpegMakesOfIt) {
  const TempFolder folder;
  const Image image{6, 4, std::vector<uint8_t>(72, 50)};
  const std::string jpeg = EncodeJpeg(image, 90);
  ASSERT_THAT(WriteFileAtomically(folder.path("frames"), jpeg + jpeg), IsOk());
  ASSERT_THAT(WriteFileAtomically(folder.path("drive.mp4"), "video"), IsOk());
  AddFfmpeg(folder, absl::StrCat("echo \"$@\" > ", folder.path("arguments"), "; cat ", folder.path("frames")));
  const Path path(folder.path(), true);
  const auto source = OpenFrameSource(folder.path("drive.mp4"), 12.5);
  ASSERT_THAT(source, IsOk());
  for (int round = 0; round < 2; ++round) {
    for (const char* name : {"frame_000000.jpg", "frame_000001.jpg"}) {
      const auto frame = (*source)->Next();
      ASSERT_THAT(frame, IsOk());
      ASSERT_NE(*frame, nullptr);
      EXPECT_EQ((*frame)->name, name);
      EXPECT_EQ((*frame)->file_bytes, jpeg);
    }
    const auto end = (*source)->Next();
    ASSERT_THAT(end, IsOk());
    EXPECT_EQ(*end, nullptr);
  }
  EXPECT_THAT(folder.Read("arguments"),
              testing::AllOf(HasSubstr(absl::StrCat("-i file:", folder.path("drive.mp4"))), HasSubstr("fps=12.5")));
}

TEST(FrameSourceTest, SaysWhyAVideoCannotBePlayed) {
  const TempFolder folder;
  ASSERT_THAT(WriteFileAtomically(folder.path("drive.mp4"), "video"), IsOk());
  const std::string video = folder.path("drive.mp4");
  {
    const TempFolder empty;
    const Path path(empty.path(), false);
    EXPECT_THAT(OpenFrameSource(video, 10),
                HasStatus(absl::StatusCode::kDataLoss, HasSubstr("ffmpeg must be in PATH")));
  }
  EXPECT_THAT(OpenFrameSource(folder.path("none.mp4"), 10),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("none.mp4: no such file or folder")));
  const Path path(folder.path(), true);
  const std::pair<const char*, const char*> scripts[] = {{"exit 3", "ffmpeg ended with 3"},
                                                         {"exit 0", "no picture in it"},
                                                         {"printf '\\377\\330\\377'", "within a picture"},
                                                         {"echo hello", "must be JPEG files"}};
  for (const auto& [script, reason] : scripts) {
    AddFfmpeg(folder, script);
    const auto source = OpenFrameSource(video, 10);
    ASSERT_THAT(source, IsOk());
    EXPECT_THAT((*source)->Next(), HasStatus(absl::StatusCode::kDataLoss, HasSubstr(reason)));
  }
}

TEST(FrameSourceTest, AVideoMayBeLeftInTheMiddle) {
  const TempFolder folder;
  const std::string jpeg = EncodeJpeg({6, 4, std::vector<uint8_t>(72, 50)}, 90);
  ASSERT_THAT(WriteFileAtomically(folder.path("frame"), jpeg), IsOk());
  ASSERT_THAT(WriteFileAtomically(folder.path("drive.mp4"), "video"), IsOk());
  AddFfmpeg(folder, absl::StrCat("while cat ", folder.path("frame"), "; do :; done"));
  const Path path(folder.path(), true);
  const auto source = OpenFrameSource(folder.path("drive.mp4"), 10);
  ASSERT_THAT(source, IsOk());
  EXPECT_EQ((*(*source)->Next())->file_bytes, jpeg);
}

}  // namespace
}  // namespace candor
