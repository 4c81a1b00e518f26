// SPDX-License-Identifier: Apache-2.0
//
// candor-train join: ensembles out of the weights that one training has kept on its way.
#include <iostream>
#include <memory>

#include "trainer/commands/command.h"
#include "trainer/commands/report_status.h"
#include "trainer/training/join_snapshots.h"

namespace candor {
namespace {

CLI::App* AddJoin(CLI::App& program, JoinOptions& options) {
  CLI::App* command = program.add_subcommand("join", "Make an ensemble of the snapshots of one finished member");
  command->add_option("--run", options.run, "The run's folder")->required();
  command->add_option("--index", options.index, "Which member, from 0")->capture_default_str();
  command->add_option("--last", options.last, "The newest so many snapshots, 2 to 128 (default: all)");
  command->add_option("--out", options.out, "Directory of the new bundle")->required();
  return command;
}

ExitCode Join(const JoinOptions& options) {
  const ExitCode code = ReportStatus(JoinSnapshots(options));
  if (code == ExitCode::kOk) std::cout << options.out << "\n";
  return code;
}

}  // namespace

void AddSnapshotCommands(CLI::App& program, std::vector<Command>* commands) {
  const auto join = std::make_shared<JoinOptions>();
  commands->push_back({AddJoin(program, *join), [join] { return Join(*join); }});
}

}  // namespace candor
