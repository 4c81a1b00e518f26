// SPDX-License-Identifier: Apache-2.0
//
// candor-train ensemble-size (Figure 5 of DUDES) and pretraining (its Table 4).
#include <algorithm>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/cpu_count.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "trainer/commands/command.h"
#include "trainer/commands/model_flags.h"
#include "trainer/commands/report_status.h"
#include "trainer/commands/training_process.h"
#include "trainer/config.h"
#include "trainer/evaluation/evaluate.h"
#include "trainer/evaluation/study_json.h"
#include "trainer/stop_signal.h"
#include "trainer/training/run_folder.h"

namespace candor {
namespace {

absl::StatusOr<StudyRow> EvaluateRow(const std::string& name, const ModelFlags& flags, const DataFlags& data,
                                     const EvaluationControl& control) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> dataset, OpenDataset(data.location, data.split));
  ASSIGN_OR_RETURN(const std::unique_ptr<Segmenter> model, LoadModel(flags));
  StudyRow row;
  row.name = name;
  ASSIGN_OR_RETURN(row.result, Evaluate(model.get(), nullptr, *dataset, control));
  row.result.data = data.location;
  row.result.split = data.split;
  return row;
}

ExitCode Finish(const std::string& study, const absl::StatusOr<std::vector<StudyRow>>& rows, const std::string& out) {
  if (absl::IsCancelled(rows.status()) || absl::IsAborted(rows.status())) return StopExitCode();
  if (!rows.ok()) return ReportStatus(rows.status());
  if (const absl::Status status = WriteFileAtomically(out, StudyToJson(study, *rows)); !status.ok()) {
    return ReportStatus(status);
  }
  std::cout << StudyToText(*rows);
  return ExitCode::kOk;
}

struct EnsembleSizeFlags {
  ModelFlags model;
  DataFlags data;
  std::vector<int> sizes;
  std::string out;
};

absl::StatusOr<std::vector<StudyRow>> StudyEnsembleSize(EnsembleSizeFlags flags) {
  RETURN_IF_ERROR(ResolveDevice(&flags.model));
  const EvaluationControl control = ProgressOnTerminal();
  std::vector<StudyRow> rows;
  for (const int size : flags.sizes) {
    ModelFlags model = flags.model;
    model.members.resize(size);
    std::iota(model.members.begin(), model.members.end(), 0);
    ASSIGN_OR_RETURN(StudyRow row, EvaluateRow(absl::StrCat("first ", size, " members"), model, flags.data, control));
    rows.push_back(std::move(row));
  }
  return rows;
}

struct PretrainingFlags {
  std::string config;
  std::vector<std::string> overrides;
  std::string run;
  std::string teacher;
  DataFlags data;
  int jobs = 0;
  std::string out;
};

// One training of the study.
struct Arm {
  std::string name;
  std::string run;      // folder of its own
  std::string command;  // member or distill
  bool pretrained = false;
};

std::string ModelOf(const Arm& arm) {
  return arm.command == "member" ? MemberModel(arm.run, 0) : StudentModel(arm.run);
}

absl::Status TrainArms(const PretrainingFlags& flags, const std::vector<Arm>& arms) {
  const int cores = UsableCores();
  const int jobs = flags.jobs > 0 ? flags.jobs : std::min<int>(cores, static_cast<int>(arms.size()));
  std::vector<ProcessSpec> processes;
  for (const Arm& arm : arms) {
    RETURN_IF_ERROR(MakeDirectories(arm.run));
    TrainingCall call = {arm.name, arm.command, flags.config, flags.overrides, arm.run, std::max(1, cores / jobs)};
    call.overrides.emplace_back(arm.pretrained ? "pretrained_members: true" : "encoder_weights: \"\"");
    const bool is_member = arm.command == "member";
    processes.push_back(TrainingProcess(
        call, arm.run,
        is_member ? std::vector<std::string>{"--index", "0"} : std::vector<std::string>{"--teacher", flags.teacher}));
  }
  return RunProcesses(processes, LoggedPool(jobs));
}

absl::StatusOr<std::vector<StudyRow>> StudyPretraining(const PretrainingFlags& flags) {
  ASSIGN_OR_RETURN(const TrainOptions options, ReadTrainConfig(flags.config, flags.overrides));
  if (options.encoder_weights.empty()) {
    return absl::InvalidArgumentError("encoder_weights: must name the pretrained encoder to study, got \"\"");
  }
  const std::vector<Arm> arms = {
      {"baseline, random", absl::StrCat(flags.run, "/baseline-random"), "member", false},
      {"student, random", absl::StrCat(flags.run, "/student-random"), "distill", false},
      {"baseline, pretrained", absl::StrCat(flags.run, "/baseline-pretrained"), "member", true},
      {"student, pretrained", absl::StrCat(flags.run, "/student-pretrained"), "distill", true}};
  RETURN_IF_ERROR(TrainArms(flags, arms));
  const EvaluationControl control = ProgressOnTerminal();
  const DataFlags data = {options.data, flags.data.split};
  std::vector<StudyRow> rows;
  ModelFlags model;
  RETURN_IF_ERROR(ResolveDevice(&model));
  model.bundle = flags.teacher;
  ASSIGN_OR_RETURN(StudyRow teacher, EvaluateRow("teacher", model, data, control));
  rows.push_back(std::move(teacher));
  for (const Arm& arm : arms) {
    model.bundle = ModelOf(arm);
    ASSIGN_OR_RETURN(StudyRow row, EvaluateRow(arm.name, model, data, control));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void AddStudyCommands(CLI::App& program, std::vector<Command>* commands) {
  const auto size = std::make_shared<EnsembleSizeFlags>();
  CLI::App* app = program.add_subcommand("ensemble-size", "Measure an ensemble's first 2, 3, ... members (Figure 5)");
  AddModelFlags(app, &size->model);
  AddDataFlags(app, "test", &size->data);
  app->add_option("--sizes", size->sizes, "Numbers of members, e.g. 2,4,6,8,10")
      ->delimiter(',')
      ->required()
      ->check(CLI::Range(1, 128));
  app->add_option("--out", size->out, "JSON file to write; the table also goes to stdout")->required();
  commands->push_back({app, [size] {
                         CatchStopSignals();
                         return Finish("ensemble-size", StudyEnsembleSize(*size), size->out);
                       }});

  const auto pretraining = std::make_shared<PretrainingFlags>();
  app = program.add_subcommand(
      "pretraining", "Train a baseline and a student from random and from pretrained encoders, and compare (Table 4)");
  app->add_option("--config", pretraining->config, "TrainerConfig with encoder_weights")->required();
  app->add_option("--set", pretraining->overrides, "One field over the file's (repeatable)")
      ->take_all()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app->add_option("--run", pretraining->run, "Folder of the four trainings; what is done there is not done again")
      ->required();
  app->add_option("--teacher", pretraining->teacher, "The students' teacher")->required();
  app->add_option("--split", pretraining->data.split, "Split to compare on")->default_val("test");
  app->add_option("--jobs", pretraining->jobs, "Trainings at once (default: one a core)");
  app->add_option("--out", pretraining->out, "JSON file to write; the table also goes to stdout")->required();
  commands->push_back({app, [pretraining] {
                         CatchStopSignals();
                         return Finish("pretraining", StudyPretraining(*pretraining), pretraining->out);
                       }});
}

}  // namespace candor
