// SPDX-License-Identifier: Apache-2.0
//
// candor-train member, ensemble and distill.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/cpu_count.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "trainer/commands/command.h"
#include "trainer/commands/ensemble_progress.h"
#include "trainer/commands/report_status.h"
#include "trainer/commands/training_process.h"
#include "trainer/config.h"
#include "trainer/stop_signal.h"
#include "trainer/training/event_log.h"
#include "trainer/training/process_pool.h"
#include "trainer/training/progress_bar.h"
#include "trainer/training/run_folder.h"
#include "trainer/training/train.h"
#include "trainer/training/training_metrics.h"

namespace candor {
namespace {

struct TrainingFlags {
  std::string config;
  std::vector<std::string> overrides;
  std::string run;
  int threads = -1;
  std::string metrics_listen;
  int index = -1;   // member
  int members = 0;  // member, ensemble; 0: the configuration's
  int jobs = 0;     // ensemble
  bool members_only = false;
  std::string teacher;  // distill
  std::string out;      // ensemble: the teacher's bundle; distill: the student's
};

void AddCommonFlags(CLI::App* command, TrainingFlags* flags) {
  command->add_option("--config", flags->config, "TrainerConfig as text proto (config/trainer.textproto explains all)")
      ->required();
  command->add_option("--set", flags->overrides, "One field over the file's, e.g. --set 'epochs: 20' (repeatable)")
      ->take_all()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--run", flags->run, "The run's folder; a run that is there goes on")->required();
  command->add_option("--threads", flags->threads, "Threads of the computation; 0: all cores this process may use");
}

void AddMetricsFlag(CLI::App* command, TrainingFlags* flags) {
  command->add_option("--metrics-listen", flags->metrics_listen, "HOST:PORT of a Prometheus page; default none");
}

absl::StatusOr<TrainOptions> ReadOptions(const TrainingFlags& flags) {
  std::vector<std::string> overrides = flags.overrides;
  if (flags.threads >= 0) overrides.push_back(absl::StrCat("threads: ", flags.threads));
  if (flags.members > 0) overrides.push_back(absl::StrCat("members: ", flags.members));
  return ReadTrainConfig(flags.config, overrides);
}

// Runs one training with event log, progress bar and, if asked for, metrics.
ExitCode RunObserved(const TrainingFlags& flags, const TrainOptions& options, const std::string& folder,
                     const std::function<absl::StatusOr<RunOutcome>(const RunControl&)>& train,
                     const std::string& model) {
  CatchStopSignals();
  if (const absl::Status status = MakeDirectories(folder); !status.ok()) return ReportStatus(status);
  const auto events = MakeEventLog(folder, options.log_every_steps);
  const auto bar = MakeProgressBar(stderr);
  std::unique_ptr<TrainingMetrics> metrics;
  RunControl control;
  control.stop_requested = StopRequested;
  control.observers = {events.get(), bar.get()};
  if (!flags.metrics_listen.empty()) {
    auto served = TrainingMetrics::Serve(flags.metrics_listen);
    if (!served.ok()) return ReportStatus(served.status());
    metrics = *std::move(served);
    control.observers.push_back(metrics.get());
    LogInfo("metrics", {{"port", metrics->port()}});
  }
  const absl::StatusOr<RunOutcome> outcome = train(control);
  if (!outcome.ok()) return ReportStatus(outcome.status());
  if (*outcome == RunOutcome::kStopped) {
    LogInfo("stopped; the same command goes on", {{"folder", folder}});
    return StopExitCode();
  }
  std::cout << model << "\n";
  return ExitCode::kOk;
}

// The index a job array gives its tasks: Slurm's, then Kubernetes'.
int IndexFromEnvironment() {
  for (const char* name : {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"}) {
    const char* text = std::getenv(name);
    int index = 0;
    if (text != nullptr && absl::SimpleAtoi(text, &index)) return index;
  }
  return -1;
}

ExitCode Member(TrainingFlags flags) {
  const auto options = ReadOptions(flags);
  if (!options.ok()) return ReportStatus(options.status());
  const int index = flags.index >= 0 ? flags.index : IndexFromEnvironment();
  if (index < 0 || index >= options->members) {
    std::cerr << "candor-train: --index: must be in [0, " << options->members - 1
              << "] (also from SLURM_ARRAY_TASK_ID or "
              << "JOB_COMPLETION_INDEX), got " << (index < 0 ? "none" : absl::StrCat(index)) << "\n";
    return ExitCode::kUsage;
  }
  return RunObserved(
      flags, *options, MemberFolder(flags.run, index),
      [&](const RunControl& control) { return TrainMember(*options, flags.run, index, control); },
      MemberModel(flags.run, index));
}

ExitCode DistillStudent(TrainingFlags flags) {
  const auto options = ReadOptions(flags);
  if (!options.ok()) return ReportStatus(options.status());
  if (flags.teacher.empty()) {
    flags.teacher = TeacherModel(flags.run);
    const absl::Status status = WriteTeacher(*options, flags.run, flags.teacher);
    if (!status.ok()) return ReportStatus(status);
  }
  if (flags.out.empty()) flags.out = StudentModel(flags.run);
  return RunObserved(
      flags, *options, DistillationFolder(flags.run),
      [&](const RunControl& control) { return Distill(*options, flags.run, flags.teacher, flags.out, control); },
      flags.out);
}

// Trains members first .. first + count - 1, `jobs` at once.
absl::Status RunMembers(const TrainingFlags& flags, const TrainOptions& options, int first, int count) {
  const int cores = options.threads > 0 ? options.threads : UsableCores();
  const int jobs = std::min(count, flags.jobs > 0 ? flags.jobs : std::min(cores, options.members));
  std::vector<ProcessSpec> processes;
  for (int i = first; i < first + count; ++i) {
    RETURN_IF_ERROR(MakeDirectories(MemberFolder(flags.run, i)));
    processes.push_back(TrainingProcess(
        {absl::StrCat("member ", i), "member", flags.config, flags.overrides, flags.run, std::max(1, cores / jobs)},
        MemberFolder(flags.run, i), {"--index", absl::StrCat(i), "--of", absl::StrCat(options.members)}));
  }
  LogInfo("training members", {{"members", count}, {"at_once", jobs}, {"threads_each", cores / jobs}});
  PoolOptions pool = LoggedPool(jobs);
  if (isatty(STDERR_FILENO) != 0) {
    pool.on_change = [&flags, &options](const std::string& text) {
      std::fprintf(stderr, "\r\033[K");
      if (!text.empty()) LogInfo(text);
      std::fprintf(stderr, "%s", EnsembleProgress(flags.run, options.members).c_str());
      std::fflush(stderr);
    };
  }
  const absl::Status status = RunProcesses(processes, pool);
  if (isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\n");
  return status;
}

absl::Status RunAllMembers(const TrainingFlags& flags, const TrainOptions& options) {
  if (!options.shared_encoder) return RunMembers(flags, options, 0, options.members);
  RETURN_IF_ERROR(RunMembers(flags, options, 0, 1));  // the others start from its encoder
  return RunMembers(flags, options, 1, options.members - 1);
}

ExitCode Ensemble(TrainingFlags flags) {
  const auto options = ReadOptions(flags);
  if (!options.ok()) return ReportStatus(options.status());
  absl::Status status = CheckMembersMakeEnsemble(*options);
  if (!status.ok()) return ReportStatus(status);
  CatchStopSignals();
  status = RunAllMembers(flags, *options);
  if (absl::IsAborted(status)) {
    std::cerr << "candor-train: " << status.message() << "\n";
    return StopExitCode();
  }
  if (!status.ok()) return ReportStatus(status);
  const std::string teacher = flags.out.empty() ? TeacherModel(flags.run) : flags.out;
  status = WriteTeacher(*options, flags.run, teacher);
  if (!status.ok()) return ReportStatus(status);
  std::cout << teacher << "\n";
  if (flags.members_only) return ExitCode::kOk;
  flags.teacher = teacher;
  flags.out.clear();
  return DistillStudent(flags);
}

}  // namespace

void AddTrainingCommands(CLI::App& program, std::vector<Command>* commands) {
  const auto member = std::make_shared<TrainingFlags>();
  CLI::App* app = program.add_subcommand("member", "Train one member of an ensemble, or go on with it");
  AddCommonFlags(app, member.get());
  AddMetricsFlag(app, member.get());
  app->add_option("--index", member->index,
                  "Which member, from 0 (default: SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX)");
  app->add_option("--of", member->members, "Members in all (default: the configuration's)");
  commands->push_back({app, [member] { return Member(*member); }});

  const auto ensemble = std::make_shared<TrainingFlags>();
  app = program.add_subcommand("ensemble", "Train all members as processes on this machine, then distil the student");
  AddCommonFlags(app, ensemble.get());
  app->add_option("--of", ensemble->members, "Members in all (default: the configuration's)");
  app->add_option("--jobs", ensemble->jobs, "Members at once (default: one a core)");
  app->add_flag("--members-only", ensemble->members_only, "End with the teacher's bundle: no student");
  app->add_option("--out", ensemble->out, "The teacher's bundle (default RUN/teacher); the student's is RUN/student");
  commands->push_back({app, [ensemble] { return Ensemble(*ensemble); }});

  const auto distill = std::make_shared<TrainingFlags>();
  app = program.add_subcommand("distill", "Train the student of a teacher, or go on with it");
  AddCommonFlags(app, distill.get());
  AddMetricsFlag(app, distill.get());
  app->add_option("--teacher", distill->teacher,
                  "Bundle of any kind (default: the run's finished members, RUN/teacher)");
  app->add_option("--of", distill->members, "Members in all (default: the configuration's)");
  app->add_option("--out", distill->out, "The student's bundle (default RUN/student)");
  commands->push_back({app, [distill] { return DistillStudent(*distill); }});
}

}  // namespace candor
