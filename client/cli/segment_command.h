// SPDX-License-Identifier: Apache-2.0
//
// `candor segment`: pictures to label and uncertainty files and a summary.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/connection.h"
#include "client/cli/effort_flags.h"

namespace candor {

struct SegmentFlags {
  ConnectionFlags connection;
  std::vector<std::string> pictures;
  std::string model;
  std::string uncertainty;  // empty: the model's default
  std::optional<float> threshold;
  std::optional<float> abstain_above;
  EffortFlags effort;
  std::string out;  // empty: no files
  bool npy = false;
  bool json = false;
};

CLI::App* AddSegmentCommand(CLI::App* app, SegmentFlags* flags);
ExitCode RunSegment(const SegmentFlags& flags, const Console& console);

}  // namespace candor
