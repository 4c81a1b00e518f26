// SPDX-License-Identifier: Apache-2.0
//
// The flags of the connection, and the words for a call that failed.
#include "client/cli/connection.h"

#include <CLI/CLI.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace candor {
namespace {

constexpr double kMaxTimeoutSeconds = 86'400;

std::string CheckTimeout(const std::string& text) {
  double seconds = 0;
  if (CLI::detail::lexical_cast(text, seconds) && seconds > 0 && seconds <= kMaxTimeoutSeconds) return "";
  return absl::StrCat("must be in (0, ", kMaxTimeoutSeconds, "] seconds, got ", text);
}

std::string CheckServer(const std::string& text) { return text.empty() ? "must be HOST:PORT, got nothing" : ""; }

// What may be the matter; a server with TLS closes a connection in plain text.
std::string UnreachableHint(const ConnectionFlags& flags, absl::string_view message) {
  if (!flags.tls_ca.empty()) return absl::StrCat(" (is ", flags.program, " running, and with TLS?)");
  return absl::StrContains(message, "Socket closed") ? " (does it want TLS? see --tls-ca)"
                                                     : absl::StrCat(" (is ", flags.program, " running?)");
}

}  // namespace

void AddConnectionFlags(CLI::App* app, ConnectionFlags* flags) {
  app->add_option("--server", flags->server,
                  absl::StrCat("Address of ", flags->program, "; several as A:P,B:P are used in turn"))
      ->type_name("HOST:PORT")
      ->check(CLI::Validator(CheckServer, ""))
      ->capture_default_str();
  app->add_option("--timeout", flags->timeout_s, "Time limit of each call, retries included")
      ->type_name("SECONDS")
      ->check(CLI::Validator(CheckTimeout, ""))
      ->capture_default_str();
  app->add_option("--tls-ca", flags->tls_ca,
                  "Connect with TLS; PEM of the authorities that the server's certificate is from")
      ->type_name("FILE");
  app->add_option("--tls-cert", flags->tls_cert, "PEM of the certificate to show the server")->type_name("FILE");
  app->add_option("--tls-key", flags->tls_key, "PEM of its key")->type_name("FILE");
  app->add_option("--tls-server-name", flags->tls_server_name,
                  "Name in the server's certificate, if not that of --server")
      ->type_name("NAME");
  app->add_option("--token-file", flags->token_file, "File with the token to send")->type_name("FILE");
}

ClientOptions OptionsOf(const ConnectionFlags& flags) {
  ClientOptions options;
  options.server = flags.server;
  options.timeout = absl::Seconds(flags.timeout_s);
  options.tls_ca_file = flags.tls_ca;
  options.tls_certificate_file = flags.tls_cert;
  options.tls_key_file = flags.tls_key;
  options.tls_server_name = flags.tls_server_name;
  options.token_file = flags.token_file;
  return options;
}

absl::StatusOr<std::unique_ptr<SegmentationClient>> Connect(const ConnectionFlags& flags, int connections) {
  ClientOptions options = OptionsOf(flags);
  options.connections = connections;
  return SegmentationClient::Create(options);
}

ExitCode ReportStatus(const Console& console, const ConnectionFlags& flags, absl::string_view subject,
                      const absl::Status& status) {
  std::string message =
      status.message().empty() ? absl::StatusCodeToString(status.code()) : std::string(status.message());
  if (absl::IsUnavailable(status)) {
    message = absl::StrCat("cannot reach ", flags.server, ": ", message, UnreachableHint(flags, message));
  } else if (absl::IsDeadlineExceeded(status)) {
    message = absl::StrCat("no answer from ", flags.server, " within ", flags.timeout_s, " s (--timeout): ", message);
  } else if (absl::IsUnauthenticated(status)) {
    absl::StrAppend(&message, " (see --token-file)");
  }
  ReportError(console, subject.empty() ? message : absl::StrCat(subject, ": ", message));
  return ExitCodeFromStatus(status);
}

}  // namespace candor
