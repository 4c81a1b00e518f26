// SPDX-License-Identifier: Apache-2.0
//
// What all subcommands share: the server's address, the time limit, TLS and token, and how a failed call is told.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/console.h"
#include "client/segmentation_client.h"
#include "core/base/exit_code.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace candor {

struct ConnectionFlags {
  std::string server = "127.0.0.1:8500";
  double timeout_s = 30;
  std::string tls_ca = {};
  std::string tls_cert = {};
  std::string tls_key = {};
  std::string tls_server_name = {};
  std::string token_file = {};
  const char* program = "candor-server";  // that is called
};

// Declares --server, --timeout, --tls-... and --token-file.
void AddConnectionFlags(CLI::App* app, ConnectionFlags* flags);

ClientOptions OptionsOf(const ConnectionFlags& flags);
absl::StatusOr<std::unique_ptr<SegmentationClient>> Connect(const ConnectionFlags& flags, int connections = 1);

// Reports `status` on one line, after "SUBJECT: " if there is a subject, and gives the exit code that belongs to it.
ExitCode ReportStatus(const Console& console, const ConnectionFlags& flags, absl::string_view subject,
                      const absl::Status& status);

}  // namespace candor
