// SPDX-License-Identifier: Apache-2.0
//
// candor-train join and swag: ensembles out of the weights that one training has kept on its way.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "trainer/commands/command.h"
#include "trainer/commands/report_status.h"
#include "trainer/config.h"
#include "trainer/stop_signal.h"
#include "trainer/training/join_snapshots.h"
#include "trainer/training/swag.h"

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

struct SwagFlags {
  std::string config;
  std::vector<std::string> overrides;
  std::string run;
  int threads = -1;
  SwagOptions options;
};

CLI::App* AddSwag(CLI::App& program, SwagFlags& flags) {
  CLI::App* command = program.add_subcommand(
      "swag", "Draw an ensemble from the Gaussian of one finished member's last weights (schedule constant_tail)");
  command->add_option("--config", flags.config, "The TrainerConfig that the member was trained with")->required();
  command->add_option("--set", flags.overrides, "One field over the file's, as in training (repeatable)")
      ->take_all()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--run", flags.run, "The run's folder")->required();
  command->add_option("--index", flags.options.index, "Which member, from 0")->capture_default_str();
  command->add_option("--samples", flags.options.samples, "Networks to draw, 2 to 128")->capture_default_str();
  command->add_option("--scale", flags.options.scale, "Of the covariance, above 0, at most 10; 0.5 is the paper's")
      ->capture_default_str();
  command->add_option("--threads", flags.threads, "Threads of the computation; 0: all cores this process may use");
  command->add_option("--out", flags.options.out, "Directory of the new bundle")->required();
  return command;
}

ExitCode Swag(SwagFlags flags) {
  if (flags.threads >= 0) flags.overrides.push_back(absl::StrCat("threads: ", flags.threads));
  const auto options = ReadTrainConfig(flags.config, flags.overrides);
  if (!options.ok()) return ReportStatus(options.status());
  CatchStopSignals();
  const auto outcome = SampleSwag(*options, flags.run, flags.options, StopRequested);
  if (!outcome.ok()) return ReportStatus(outcome.status());
  if (*outcome == RunOutcome::kStopped) {
    LogInfo("stopped; nothing is written");
    return StopExitCode();
  }
  std::cout << flags.options.out << "\n";
  return ExitCode::kOk;
}

}  // namespace

void AddSnapshotCommands(CLI::App& program, std::vector<Command>* commands) {
  const auto join = std::make_shared<JoinOptions>();
  commands->push_back({AddJoin(program, *join), [join] { return Join(*join); }});
  const auto swag = std::make_shared<SwagFlags>();
  commands->push_back({AddSwag(program, *swag), [swag] { return Swag(*swag); }});
}

}  // namespace candor
