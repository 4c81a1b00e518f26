// SPDX-License-Identifier: Apache-2.0
//
// Files, and videos through an ffmpeg process: OpenCV's own video reader would bring in 200 packages.
#include "client/cli/frame_source.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/jpeg_splitter.h"
#include "client/cli/pictures.h"
#include "core/base/status_macros.h"

extern char** environ;

namespace candor {
namespace {

constexpr size_t kMaxPictureBytes = size_t{256} << 20;

class PictureFiles : public FrameSource {
 public:
  explicit PictureFiles(std::vector<std::string> names) : names_(std::move(names)) {}

  absl::StatusOr<PicturePointer> Next() override {
    if (next_ == names_.size()) {
      next_ = 0;
      return nullptr;
    }
    const std::string& name = names_[next_++];
    ASSIGN_OR_RETURN(std::string bytes, ReadPicture(name, std::cin));
    return std::make_shared<LoadPicture>(LoadPicture{name, std::move(bytes), {}});
  }
  std::vector<std::string> names() const override { return names_; }

 private:
  const std::vector<std::string> names_;
  size_t next_ = 0;
};

class Video : public FrameSource {
 public:
  Video(std::string path, double rate) : path_(std::move(path)), rate_(rate) {}
  ~Video() override {
    if (pid_ > 0) kill(pid_, SIGKILL);
    End();
  }
  Video(const Video&) = delete;
  Video& operator=(const Video&) = delete;

  absl::Status Start();
  absl::StatusOr<PicturePointer> Next() override;

 private:
  // 0, or what ffmpeg ended with.
  int End();

  const std::string path_;
  const double rate_;
  pid_t pid_ = -1;
  int pipe_ = -1;
  JpegSplitter splitter_;
  int64_t count_ = 0;
};

absl::Status Video::Start() {
  // A path may look like an option or an address of another kind.
  const std::string input = absl::StrContains(path_, "://") ? path_ : absl::StrCat("file:", path_);
  const std::string filter = absl::StrFormat("fps=%.6g", rate_);
  const char* argv[] = {"ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error",      "-i",   input.c_str(),
                        "-an",    "-vf",      filter.c_str(), "-f",        "image2pipe", "-c:v", "mjpeg",
                        "-q:v",   "2",        "pipe:1",       nullptr};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::DataLossError(absl::StrCat("ffmpeg: no pipe: ", std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const int failed = posix_spawnp(&pid_, "ffmpeg", &actions, nullptr, const_cast<char**>(argv), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  pipe_ = ends[0];
  if (failed == 0) return absl::OkStatus();
  pid_ = -1;
  End();
  return absl::DataLossError(absl::StrCat(
      path_, failed == ENOENT ? ": is no folder, JPEG or PNG; for videos, ffmpeg must be in PATH, and it is not"
                              : absl::StrCat(": ffmpeg cannot be started: ", std::strerror(failed))));
}

int Video::End() {
  if (pipe_ >= 0) close(std::exchange(pipe_, -1));
  if (pid_ <= 0) return 0;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

absl::StatusOr<PicturePointer> Video::Next() {
  if (pid_ <= 0) RETURN_IF_ERROR(Start());
  for (;;) {
    absl::StatusOr<std::optional<std::string>> file = splitter_.Next(kMaxPictureBytes);
    if (!file.ok()) return absl::DataLossError(absl::StrCat(path_, ": what ffmpeg writes ", file.status().message()));
    if (file->has_value()) {
      return std::make_shared<LoadPicture>(
          LoadPicture{absl::StrFormat("frame_%06d.jpg", count_++), **std::move(file), {}});
    }
    char buffer[1 << 16];
    const ssize_t count = read(pipe_, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    splitter_.Append({buffer, static_cast<size_t>(count)});
  }
  const int code = End();
  if (code != 0) return absl::DataLossError(absl::StrCat(path_, ": ffmpeg ended with ", code));
  if (splitter_.has_rest()) return absl::DataLossError(absl::StrCat(path_, ": ffmpeg ended within a picture"));
  if (std::exchange(count_, 0) == 0) return absl::DataLossError(absl::StrCat(path_, ": ffmpeg finds no picture in it"));
  return nullptr;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FrameSource>> OpenFrameSource(const std::string& path, double rate) {
  std::error_code error;
  const std::string extension = absl::AsciiStrToLower(std::filesystem::path(path).extension().string());
  if (std::filesystem::is_directory(path, error) || extension == ".jpg" || extension == ".jpeg" ||
      extension == ".png") {
    ASSIGN_OR_RETURN(std::vector<std::string> names, ExpandFolders({path}));
    return std::make_unique<PictureFiles>(std::move(names));
  }
  if (!absl::StrContains(path, "://") && !std::filesystem::exists(path, error)) {
    return absl::DataLossError(absl::StrCat(path, ": no such file or folder"));
  }
  auto video = std::make_unique<Video>(path, rate);
  RETURN_IF_ERROR(video->Start());
  return video;
}

}  // namespace candor
