// SPDX-License-Identifier: Apache-2.0
//
// candor-train evaluate, calibrate and quantise.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "trainer/commands/command.h"
#include "trainer/commands/model_flags.h"
#include "trainer/commands/report_status.h"
#include "trainer/evaluation/calibrate.h"
#include "trainer/evaluation/evaluate.h"
#include "trainer/evaluation/quantise.h"
#include "trainer/evaluation/result_json.h"
#include "trainer/stop_signal.h"

namespace candor {
namespace {

struct EvaluateFlags {
  ModelFlags model;
  std::string teacher;
  DataFlags data;
  std::string unknown;
  std::string out;
  PictureChoice pictures = {6, {}};
};

absl::StatusOr<EvaluationResult> RunEvaluate(EvaluateFlags flags) {
  RETURN_IF_ERROR(ResolveDevice(&flags.model));
  const EvaluationControl control = ProgressOnTerminal();
  ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> dataset, OpenDataset(flags.data.location, flags.data.split));
  ASSIGN_OR_RETURN(const std::unique_ptr<Segmenter> model, LoadModel(flags.model));
  std::unique_ptr<Segmenter> teacher;
  if (!flags.teacher.empty()) {
    ModelFlags teacher_flags = flags.model;
    teacher_flags.bundle = flags.teacher;
    teacher_flags.members.clear();
    ASSIGN_OR_RETURN(teacher, LoadModel(teacher_flags));
  }
  ASSIGN_OR_RETURN(EvaluationResult result, Evaluate(model.get(), teacher.get(), *dataset, control));
  result.data = flags.data.location;
  result.split = flags.data.split;
  result.precision = model->info().precision;
  ASSIGN_OR_RETURN(result.fingerprint, dataset->Fingerprint());
  if (!flags.unknown.empty()) RETURN_IF_ERROR(EvaluateUnknown(model.get(), flags.unknown, control, &result));
  const std::filesystem::path out = flags.out;
  const std::string directory = out.has_parent_path() ? out.parent_path().string() : ".";
  RETURN_IF_ERROR(WritePictures(model.get(), *dataset, flags.pictures, directory,
                                absl::StrCat(out.stem().string(), "_pictures"), control, &result));
  RETURN_IF_ERROR(MakeDirectories(directory));
  RETURN_IF_ERROR(WriteFileAtomically(flags.out, ResultToJson(result)));
  return result;
}

ExitCode EvaluateModel(const EvaluateFlags& flags) {
  CatchStopSignals();
  const auto result = RunEvaluate(flags);
  if (absl::IsCancelled(result.status())) return StopExitCode();
  if (!result.ok()) return ReportStatus(result.status());
  std::cout << flags.out << "\n";
  return ExitCode::kOk;
}

struct CalibrateFlags {
  ModelFlags model;
  DataFlags data;
  CalibrateOptions options;
};

ExitCode Calibrate(CalibrateFlags flags) {
  CatchStopSignals();
  if (const absl::Status status = ResolveDevice(&flags.model); !status.ok()) return ReportStatus(status);
  const EvaluationControl control = ProgressOnTerminal();
  const auto dataset = OpenDataset(flags.data.location, flags.data.split);
  if (!dataset.ok()) return ReportStatus(dataset.status());
  CalibrateOptions options = flags.options;
  options.data = absl::StrCat(flags.data.location, " ", flags.data.split);
  const auto load = [&flags](float temperature) {
    LoadOptions fitted;
    fitted.temperature = temperature;
    return LoadModel(flags.model, fitted);
  };
  const auto report = CalibrateBundle(flags.model.bundle, load, **dataset, options, control);
  if (absl::IsCancelled(report.status())) return StopExitCode();
  if (!report.ok()) return ReportStatus(report.status());
  std::cout << *report;
  return ExitCode::kOk;
}

struct QuantiseFlags {
  ModelFlags model;
  DataFlags data;
};

ExitCode Quantise(QuantiseFlags flags) {
  CatchStopSignals();
  if (const absl::Status status = ResolveDevice(&flags.model); !status.ok()) return ReportStatus(status);
  const auto dataset = OpenDataset(flags.data.location, flags.data.split);
  if (!dataset.ok()) return ReportStatus(dataset.status());
  const auto load = [&flags](LoadOptions options, Precision precision) {
    ModelFlags model = flags.model;
    model.precision = std::string(PrecisionName(precision));
    return LoadModel(model, std::move(options));
  };
  const auto report = QuantiseBundle(flags.model.bundle, load, **dataset,
                                     absl::StrCat(flags.data.location, " ", flags.data.split), ProgressOnTerminal());
  if (absl::IsCancelled(report.status())) return StopExitCode();
  if (!report.ok()) return ReportStatus(report.status());
  std::cout << *report;
  return ExitCode::kOk;
}

}  // namespace

void AddEvaluationCommands(CLI::App& program, std::vector<Command>* commands) {
  const auto evaluate = std::make_shared<EvaluateFlags>();
  CLI::App* app = program.add_subcommand("evaluate", "Measure a model on a split: accuracy, calibration, uncertainty");
  AddModelFlags(app, &evaluate->model);
  app->add_option("--teacher", evaluate->teacher, "Also compare the uncertainty with this bundle's, pixel by pixel");
  AddDataFlags(app, "test", &evaluate->data);
  app->add_option(
      "--unknown", evaluate->unknown,
      "Folder of pictures with unknown objects: images/ and labels/ or labels_masks/ (0 ordinary, 1 unknown)");
  app->add_option("--pictures", evaluate->pictures.notable,
                  "Write the maps of so many of the worst and of the most uncertain pictures beside the results")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app->add_option("--show", evaluate->pictures.names, "And of these, by name, separated by commas")->delimiter(',');
  app->add_option("--out", evaluate->out, "results.json to write")->required();
  commands->push_back({app, [evaluate] { return EvaluateModel(*evaluate); }});

  const auto calibrate = std::make_shared<CalibrateFlags>();
  app = program.add_subcommand("calibrate", "Fit a bundle's verdict thresholds and drift reference on validation data");
  AddModelFlags(app, &calibrate->model);
  AddDataFlags(app, "val", &calibrate->data);
  app->add_option("--error-rate", calibrate->options.error_rate,
                  "Wrong pixels allowed among accepted pictures together, in (0, 1)")
      ->capture_default_str();
  app->add_option("--reject-error-rate", calibrate->options.reject_error_rate,
                  "The same among all pictures that are not rejected")
      ->capture_default_str();
  app->add_flag("--temperature", calibrate->options.fit_temperature,
                "Also fit a temperature for the class scores (changes probabilities, never a single network's labels)");
  commands->push_back({app, [calibrate] { return Calibrate(*calibrate); }});

  const auto quantise = std::make_shared<QuantiseFlags>();
  app = program.add_subcommand("quantise", "Measure on data what --precision int8 needs, and whether answers stay");
  app->add_option("--bundle", quantise->model.bundle, "The model's directory")->required();
  app->add_option("--threads", quantise->model.threads, "0: the cores this process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  AddDataFlags(app, "val", &quantise->data);
  quantise->model.device = "cpu";
  commands->push_back({app, [quantise] { return Quantise(*quantise); }});
}

}  // namespace candor
