// SPDX-License-Identifier: Apache-2.0
//
// `candor admin`: changes the models of a running server.
#pragma once

#include <string>

#include "client/cli/connection.h"

namespace candor {

struct AdminFlags {
  enum class Action { kLoad, kUnload, kReload, kRollback, kVersions };

  ConnectionFlags connection{"127.0.0.1:8500", 300};  // a large ensemble takes its time
  Action action = Action::kVersions;
  std::string model;  // empty: all, where that is possible
  int version = 0;    // 0: the newest
  bool json = false;
};

CLI::App* AddAdminCommand(CLI::App* app, AdminFlags* flags);
ExitCode RunAdmin(const AdminFlags& flags, const Console& console);

}  // namespace candor
