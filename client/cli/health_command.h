// SPDX-License-Identifier: Apache-2.0
//
// `candor health`: a probe for scripts and container health checks.
#pragma once

#include <string>

#include "client/cli/connection.h"

namespace candor {

struct HealthFlags {
  ConnectionFlags connection{"127.0.0.1:8500", 5};
  std::string service = "candor.v1.Segmentation";
  bool json = false;
};

CLI::App* AddHealthCommand(CLI::App* app, HealthFlags* flags);
ExitCode RunHealth(const HealthFlags& flags, const Console& console);

}  // namespace candor
