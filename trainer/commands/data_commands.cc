// SPDX-License-Identifier: Apache-2.0
//
// candor-train check-data, predict and report.
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "trainer/commands/command.h"
#include "trainer/commands/model_flags.h"
#include "trainer/commands/report_status.h"
#include "trainer/data/check_data.h"
#include "trainer/evaluation/predict_split.h"
#include "trainer/evaluation/result_json.h"
#include "trainer/report/report.h"
#include "trainer/report/training_events.h"
#include "trainer/stop_signal.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxResultBytes = 64 << 20;

struct CheckFlags {
  std::string location;
  bool json = false;
};

ExitCode Check(const CheckFlags& flags) {
  const auto report = CheckData(flags.location);
  if (!report.ok()) return ReportStatus(report.status());
  std::cout << (flags.json ? DataReportJson(*report) : DataReportText(*report));
  return report->errors.empty() ? ExitCode::kOk : ExitCode::kConfiguration;
}

struct PredictFlags {
  ModelFlags model;
  DataFlags data;
  std::string kind;
  bool member_softmax = false;
  PredictionOptions options;
};

absl::Status Predict(PredictFlags flags) {
  RETURN_IF_ERROR(ResolveDevice(&flags.model));
  const EvaluationControl control = ProgressOnTerminal();
  ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> dataset, OpenDataset(flags.data.location, flags.data.split));
  ASSIGN_OR_RETURN(const std::unique_ptr<Segmenter> model, LoadModel(flags.model));
  const ModelSpec& spec = model->info().spec;
  PredictionOptions options = flags.options;
  options.kind = spec.default_kind();
  if (!flags.kind.empty()) {
    ASSIGN_OR_RETURN(options.kind, ParseUncertaintyKind(flags.kind));
  }
  RETURN_IF_ERROR(PredictSplit(model.get(), *dataset, options, control));
  if (!flags.member_softmax) return absl::OkStatus();
  const auto load_member = [&flags](int index) {
    ModelFlags member = flags.model;
    member.members = {flags.model.members.empty() ? index : flags.model.members[index]};
    return LoadModel(member);
  };
  return PredictMembers(static_cast<int>(spec.weights.size()), load_member, *dataset, options.out, control);
}

ExitCode PredictCommand(const PredictFlags& flags) {
  CatchStopSignals();
  const absl::Status status = Predict(flags);
  if (absl::IsCancelled(status)) return StopExitCode();
  if (!status.ok()) return ReportStatus(status);
  std::cout << flags.options.out << "\n";
  return ExitCode::kOk;
}

struct ReportFlags {
  std::vector<std::string> results;
  std::vector<std::string> runs;
  std::string title = "Segmentation models and how sure they are";
  int pictures = 4;
  int side_by_side = 2;
  std::string out;
};

absl::StatusOr<ReportedResult> ReadResult(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxResultBytes));
  auto result = ResultFromJson(text);
  if (!result.ok()) {
    return absl::Status(result.status().code(), absl::StrCat(path, ": ", result.status().message()));
  }
  const fs::path parent = fs::path(path).parent_path();
  return ReportedResult{*std::move(result), parent.empty() ? "." : parent.string()};
}

absl::Status WriteReport(const ReportFlags& flags) {
  ReportInput input;
  input.title = flags.title;
  input.date = absl::FormatTime("%Y-%m-%d", absl::Now(), absl::LocalTimeZone());
  input.candor_version = CANDOR_VERSION;
  input.pictures_each = flags.pictures;
  input.side_by_side = flags.side_by_side;
  input.command = "candor-train report --results";
  for (const std::string& path : flags.results) {
    ASSIGN_OR_RETURN(ReportedResult result, ReadResult(path));
    absl::StrAppend(&input.command, input.results.empty() ? " " : ",", path);
    input.results.push_back(std::move(result));
  }
  for (const std::string& run : flags.runs) {
    ASSIGN_OR_RETURN(std::vector<TrainingCurve> curves, ReadTrainingCurves(run));
    absl::StrAppend(&input.command, " --run ", run);
    input.training.insert(input.training.end(), curves.begin(), curves.end());
  }
  absl::StrAppend(&input.command, " --out ", flags.out);
  ASSIGN_OR_RETURN(const std::string html, RenderReport(input));
  return WriteFileAtomically(flags.out, html);
}

ExitCode ReportCommand(const ReportFlags& flags) {
  if (const absl::Status status = WriteReport(flags); !status.ok()) return ReportStatus(status);
  std::cout << flags.out << "\n";
  return ExitCode::kOk;
}

}  // namespace

void AddDataCommands(CLI::App& program, std::vector<Command>* commands) {
  const auto check = std::make_shared<CheckFlags>();
  CLI::App* app =
      program.add_subcommand("check-data", "Read a whole data set and tell what is in it and what is wrong");
  app->add_option("--data", check->location, "camvid:DIR, cityscapes:DIR, voc:DIR or folder:DIR")->required();
  app->add_flag("--json", check->json, "JSON instead of a table");
  commands->push_back({app, [check] { return Check(*check); }});

  static const std::map<std::string, PredictionLayout> layouts = {{"plain", PredictionLayout::kPlain},
                                                                  {"bravo", PredictionLayout::kBravo},
                                                                  {"smiyc", PredictionLayout::kSegmentMeIfYouCan}};
  const auto predict = std::make_shared<PredictFlags>();
  app = program.add_subcommand("predict", "Write a model's answers for a whole split as files");
  AddModelFlags(app, &predict->model);
  AddDataFlags(app, "test", &predict->data);
  app->add_option("--layout", predict->options.layout,
                  "plain, bravo (BRAVO challenge) or smiyc (SegmentMeIfYouCan); default plain")
      ->transform(CLI::CheckedTransformer(layouts).description(""));
  app->add_option("--uncertainty", predict->kind, "Kind of the maps (default: the model's)");
  app->add_flag("--member-softmax", predict->member_softmax,
                "Also every member's class probabilities, OUT/members/M/NAME_softmax.npy (large)");
  app->add_option("--out", predict->options.out, "Folder to write into")->required();
  commands->push_back({app, [predict] { return PredictCommand(*predict); }});

  const auto report = std::make_shared<ReportFlags>();
  app = program.add_subcommand("report", "Make one HTML page of results.json files and training runs");
  app->add_option("--results", report->results, "Files of candor-train evaluate, separated by commas")
      ->delimiter(',')
      ->required();
  app->add_option("--run", report->runs, "Runs whose training curves to show (repeatable)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app->add_option("--title", report->title, "Heading of the page")->capture_default_str();
  app->add_option("--side-by-side", report->side_by_side, "Pictures that all models have maps of (evaluate --show)")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app->add_option("--pictures", report->pictures, "Worst and most uncertain pictures of each model")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app->add_option("--out", report->out, "HTML file to write")->required();
  commands->push_back({app, [report] { return ReportCommand(*report); }});
}

}  // namespace candor
