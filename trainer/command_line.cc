// SPDX-License-Identifier: Apache-2.0
#include "trainer/command_line.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <vector>

#include "trainer/commands/command.h"

namespace candor {

ExitCode RunTrainer(int argc, const char* const* argv) {
  CLI::App app("Trains, evaluates and converts candor's models.", "candor-train");
  app.set_version_flag("--version", "candor " CANDOR_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done; 1 failure, such as a loss that is not finite; 2 usage; 69 address taken; 70 internal "
      "fault;\n"
      "74 file not read or written; 75 stopped with its checkpoint saved, start it again; 78 configuration, data or\n"
      "bundle refused; 130 interrupted, with its checkpoint saved.");
  std::vector<Command> commands;
  AddTrainingCommands(app, &commands);
  AddSnapshotCommands(app, &commands);
  AddEvaluationCommands(app, &commands);
  AddFitCommand(app, &commands);
  AddDataCommands(app, &commands);
  AddStudyCommands(app, &commands);
  AddConversionCommands(app, &commands);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? ExitCode::kOk : ExitCode::kUsage;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return ExitCode::kUsage;  // unreachable: one subcommand is required
}

}  // namespace candor
