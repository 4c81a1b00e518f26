// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "core/base/exit_code.h"

namespace candor {

// What the command line said; unset fields leave the configuration file's value or the default.
struct ServerFlags {
  std::string config_path;  // empty: no file
  std::vector<std::string> bundles;
  std::optional<std::string> default_model;
  std::optional<std::string> device;
  std::optional<std::string> precision;
  std::optional<std::string> listen;
  std::optional<std::string> metrics_listen;
  std::optional<int> threads;
  std::optional<std::string> log_level;
  bool allow_partial_ensemble = false;
  bool check_config = false;
  bool print_config = false;
};

// The flags, or the code to exit with: 0 after --help or --version (printed to `out`), 2 after a wrong flag (one line
// on `err`).
std::variant<ServerFlags, ExitCode> ParseServerFlags(int argc, const char* const* argv, std::ostream& out,
                                                     std::ostream& err);

}  // namespace candor
