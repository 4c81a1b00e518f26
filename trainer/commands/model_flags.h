// SPDX-License-Identifier: Apache-2.0
//
// What the commands that run a finished model over data have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"
#include "trainer/evaluation/evaluate.h"

namespace candor {

struct ModelFlags {
  std::string bundle;
  std::vector<int> members;
  std::string device = "auto";
  std::string precision = "fp32";
  int threads = 0;
};

struct DataFlags {
  std::string location;
  std::string split;
};

void AddModelFlags(CLI::App* command, ModelFlags* flags);
void AddDataFlags(CLI::App* command, const std::string& default_split, DataFlags* flags);

// Turns "auto" into what this machine has, so that several loads ask once. Errors of PrepareDevice.
absl::Status ResolveDevice(ModelFlags* flags);

// `options`: for what no flag says. Errors of PrepareDevice and LoadSegmenter.
absl::StatusOr<std::unique_ptr<Segmenter>> LoadModel(const ModelFlags& flags, LoadOptions options = {});

// Stops at SIGTERM and SIGINT; draws progress on stderr where that is a terminal.
EvaluationControl ProgressOnTerminal();

}  // namespace candor
