// SPDX-License-Identifier: Apache-2.0
//
// candor-train fit.
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/cpu_count.h"
#include "core/base/status_macros.h"
#include "trainer/commands/command.h"
#include "trainer/commands/model_flags.h"
#include "trainer/commands/report_status.h"
#include "trainer/fitting/fit_head.h"
#include "trainer/stop_signal.h"

namespace candor {
namespace {

struct FitFlags {
  FitOptions options;         // but for the head
  std::string method;         // that head's name
  DataFlags data;             // of the scale
  std::string density_split;  // empty: train
  std::string device = "auto";
  int threads = 0;
};

absl::StatusOr<std::string> RunFit(const FitFlags& flags) {
  FitOptions options = flags.options;
  ASSIGN_OR_RETURN(options.head, ParseUncertaintyHead(flags.method));
  const bool is_density = options.head == UncertaintyHead::kFeatureDensity;
  if (!is_density && (!flags.density_split.empty() || options.components != 0)) {
    return absl::InvalidArgumentError("--density-split and --components: are of feature_density, method is energy");
  }
  ASSIGN_OR_RETURN(const Device wanted, ParseDevice(flags.device));
  ASSIGN_OR_RETURN(options.device, PrepareDevice(wanted));
  SetInferenceThreads(flags.threads > 0 ? flags.threads : UsableCores());
  ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> scale_data, OpenDataset(flags.data.location, flags.data.split));
  options.note = absl::StrCat(flags.data.location, " ", flags.data.split);
  std::unique_ptr<Dataset> density_data;
  if (is_density) {
    const std::string split = flags.density_split.empty() ? "train" : flags.density_split;
    ASSIGN_OR_RETURN(density_data, OpenDataset(flags.data.location, split));
    absl::StrAppend(&options.note, ", densities on ", split);
  }
  return FitHead(options, density_data.get(), *scale_data, ProgressOnTerminal());
}

ExitCode RunFitCommand(const FitFlags& flags) {
  CatchStopSignals();
  const auto text = RunFit(flags);
  if (absl::IsCancelled(text.status())) return StopExitCode();
  if (!text.ok()) return ReportStatus(text.status());
  std::cerr << *text;
  std::cout << flags.options.out << "\n";
  return ExitCode::kOk;
}

}  // namespace

void AddFitCommand(CLI::App& program, std::vector<Command>* commands) {
  const auto flags = std::make_shared<FitFlags>();
  FitOptions& options = flags->options;
  CLI::App* app = program.add_subcommand("fit",
                                         "Give a trained single network an uncertainty fitted on data: energy, "
                                         "feature_density");
  app->add_option("--method", flags->method,
                  "energy (minus the logsumexp of the class scores) or feature_density (a Gaussian a class over the "
                  "decoder's features)")
      ->required()
      ->check(CLI::IsMember({"energy", "feature_density"}));
  app->add_option("--bundle", options.bundle, "The model's directory: of kind single, without sampling")->required();
  AddDataFlags(app, "val", &flags->data);
  app->get_option("--split")->description("Which part of it the range is fitted on");
  app->add_option("--density-split", flags->density_split,
                  "Of feature_density: which part the Gaussians are fitted on (default train)");
  app->add_option("--components", options.components,
                  "Of feature_density: only so many principal directions of the features; 0: all")
      ->check(CLI::Range(0, 2048))
      ->capture_default_str();
  app->add_option("--device", flags->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app->add_option("--threads", flags->threads, "0: the cores this process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app->add_option("--out", options.out, "Directory of the new bundle")->required();
  commands->push_back({app, [flags] { return RunFitCommand(*flags); }});
}

}  // namespace candor
