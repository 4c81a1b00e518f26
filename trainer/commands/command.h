// SPDX-License-Identifier: Apache-2.0
//
// One subcommand of candor-train: its flags, and what it does. Each .cc beside this file makes one or a few of them.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <vector>

#include "core/base/exit_code.h"

namespace candor {

struct Command {
  CLI::App* app = nullptr;  // owned by the program's CLI::App
  std::function<ExitCode()> run;
};

// Each adds subcommands to `program` and appends them to `commands`.
void AddConversionCommands(CLI::App& program, std::vector<Command>* commands);  // import, export
void AddTrainingCommands(CLI::App& program, std::vector<Command>* commands);    // member, ensemble, distill
void AddSnapshotCommands(CLI::App& program, std::vector<Command>* commands);    // join, swag
void AddEvaluationCommands(CLI::App& program, std::vector<Command>* commands);  // evaluate, calibrate, quantise
void AddFitCommand(CLI::App& program, std::vector<Command>* commands);          // fit
void AddStudyCommands(CLI::App& program, std::vector<Command>* commands);       // ensemble-size, pretraining
void AddDataCommands(CLI::App& program, std::vector<Command>* commands);        // check-data, predict, report

}  // namespace candor
