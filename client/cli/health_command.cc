// SPDX-License-Identifier: Apache-2.0
//
// One call of grpc.health.v1, its answer as a word and an exit code.
#include "client/cli/health_command.h"

#include <CLI/CLI.hpp>

#include "client/cli/json_number.h"

namespace candor {
namespace {

constexpr char kHelp[] = R"(Examples:
  candor health && echo ready
  candor health --service "" --timeout 1        # is the process alive?

Prints SERVING, NOT_SERVING or SERVICE_UNKNOWN. Exit codes: 0 serving, 69 anything else or no answer, 2 usage.)";

const char* StateName(HealthState state) {
  switch (state) {
    case HealthState::kServing:
      return "SERVING";
    case HealthState::kNotServing:
      return "NOT_SERVING";
    case HealthState::kUnknownService:
      return "SERVICE_UNKNOWN";
  }
  return "UNKNOWN";
}

}  // namespace

CLI::App* AddHealthCommand(CLI::App* app, HealthFlags* flags) {
  CLI::App* command = app->add_subcommand("health", "Ask whether the server is ready");
  AddConnectionFlags(command, &flags->connection);
  command->add_option("--service", flags->service, "Service or model; empty: the process")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_flag("--json", flags->json, "Print {\"service\", \"status\"} instead");
  command->footer(kHelp);
  return command;
}

ExitCode RunHealth(const HealthFlags& flags, const Console& console) {
  const auto client = Connect(flags.connection);
  if (!client.ok()) return ReportStatus(console, flags.connection, "", client.status());
  const absl::StatusOr<HealthState> state = (*client)->CheckHealth(flags.service);
  if (!state.ok()) return ReportStatus(console, flags.connection, "", state.status());
  if (flags.json) {
    console.out << JsonLine({{"service", flags.service}, {"status", StateName(*state)}}) << "\n";
  } else {
    console.out << StateName(*state) << "\n";
  }
  return *state == HealthState::kServing ? ExitCode::kOk : ExitCode::kUnavailable;
}

}  // namespace candor
