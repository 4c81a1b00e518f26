// SPDX-License-Identifier: Apache-2.0
//
// Cameras on a stream: frames come at their times, whatever the server does.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/bench/load_picture.h"
#include "client/segmentation_client.h"
#include "client/segmentation_stream.h"

namespace candor {

struct CameraPlan {
  int cameras = 1;
  // Of the first camera, if there is one, else "NAME0" and so on.
  std::string name = "camera";
  double rate = 10;  // frames a second, of each camera
  // Frames of camera c are due at offset_s + (k + c / cameras) / rate from `start`: cameras do not wait for each other.
  double offset_s = 0;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  // A frame that cannot be sent before the camera's next one is due is not sent at all; else it is sent late.
  bool skips_stale = false;
};

using PicturePointer = std::shared_ptr<const LoadPicture>;

// The picture of frame k of all cameras, asked for in order and before it is due, or null: the cameras end. `due_s` is
// that of the first camera.
using NextPicture = std::function<absl::StatusOr<PicturePointer>(int64_t sequence, double due_s)>;

enum class FrameFate {
  kAnswered,
  kSuperseded,   // by a newer frame, at the server
  kSkipped,      // likewise, before it was sent
  kLate,         // DeadlineExceeded
  kFailed,       // otherwise
  kPreliminary,  // not yet its fate: the first model has answered, the second is asked
};

const char* FrameFateName(FrameFate fate);  // "answered" and so on

// A frame that was due. Times are seconds from the plan's start.
struct PlayedFrame {
  int camera = 0;
  std::string camera_name;
  int64_t sequence = 0;
  PicturePointer picture;
  double due_s = 0;
  double sent_s = 0;
  double done_s = 0;
  FrameFate fate = FrameFate::kSkipped;
  StreamAnswer answer;  // unless skipped

  double latency_ms() const { return (done_s - due_s) * 1e3; }
};

// Plays until there is no picture, then until all is answered; gives the server's statistics. `options` go with each
// frame. `on_frame` runs once for each frame that was due, before that perhaps with kPreliminary, on this thread.
// Errors: those of `next_picture`, of SegmentationStream::Send or of what broke the stream; frames without an answer
// are not told then.
absl::StatusOr<StreamStatistics> PlayCameras(const CameraPlan& plan, const SegmentOptions& options,
                                             const NextPicture& next_picture, SegmentationStream* stream,
                                             const std::function<void(PlayedFrame)>& on_frame);

}  // namespace candor
