// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "core/base/exit_code.h"

namespace candor {

// The command line of candor-training-server.
struct ServiceFlags {
  std::string runs;
  std::string listen = "127.0.0.1:8600";
  std::string metrics_listen = "127.0.0.1:8601";  // "off": none
  std::string model_repository;
  std::string train;  // default: candor-train beside this program
  std::string executor = "local";
  int at_once = 1;
  int jobs = 0;
  std::string submit;
  std::vector<std::string> sbatch_options;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  std::string token_file;
  bool insecure = false;
};

// The flags, or the code to exit with: 0 after --help or --version, 2 after a wrong flag (one line on `err`).
std::variant<ServiceFlags, ExitCode> ParseServiceFlags(int argc, const char* const* argv, std::ostream& out,
                                                       std::ostream& err);

}  // namespace candor
