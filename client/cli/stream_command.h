// SPDX-License-Identifier: Apache-2.0
//
// `candor stream`: plays pictures or a video as one or several cameras.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/cli/connection.h"
#include "client/cli/effort_flags.h"
#include "client/segmentation_stream.h"

namespace candor {

struct StreamFlags {
  ConnectionFlags connection;
  std::string source;
  double rate = 10;
  FramePolicy policy = FramePolicy::kLatestFrame;
  int cameras = 1;
  bool loop = false;
  int64_t frames = 0;           // of each camera; 0: no limit
  double frame_timeout_ms = 0;  // 0: the connection's timeout
  std::optional<int> max_unanswered;
  std::string model;
  std::string uncertainty;  // empty: the model's default
  EffortFlags effort;
  std::string out;  // empty: no files
  bool json = false;
};

CLI::App* AddStreamCommand(CLI::App* app, StreamFlags* flags);
ExitCode RunStream(const StreamFlags& flags, const Console& console);

}  // namespace candor
