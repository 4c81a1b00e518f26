// SPDX-License-Identifier: Apache-2.0
//
// `candor models`: what the server has loaded.
#pragma once

#include "client/cli/connection.h"

namespace candor {

struct ModelsFlags {
  ConnectionFlags connection;
  bool json = false;
};

CLI::App* AddModelsCommand(CLI::App* app, ModelsFlags* flags);
ExitCode RunModels(const ModelsFlags& flags, const Console& console);

}  // namespace candor
