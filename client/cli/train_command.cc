// SPDX-License-Identifier: Apache-2.0
//
// Calls of candor.v1.Training, and what they did as text or JSON.
#include "client/cli/train_command.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/json_number.h"
#include "client/cli/training_report.h"
#include "client/training_client.h"

namespace candor {
namespace {

constexpr char kHelp[] = R"(Examples:
  candor train submit --config config/camvid-compact.textproto --set 'epochs: 40' --name street --watch
  candor train status                     # all runs
  candor train status street              # one, training by training
  candor train watch street               # until it has ended
  candor train cancel street              # its checkpoints stay:
  candor train resume street
  candor train publish street --model street && candor admin reload

--server is the address of candor-training-server. Where that asks for tokens (--token-file), status and watch take one of
the role infer, all else one of the role admin. Paths in the configuration are that machine's. --json prints one object a
run and line: run, state (queued, running, cancelling, succeeded, failed, cancelled), message, directory, executor, created,
started, ended, starts, progress, trainings [{name, done, step, steps, loss, images_per_second, validation_miou}]; publish:
directory, version, digest. Exit codes: 0 done, for watch: the run succeeded; 1 refused, for watch: it failed; 75 for watch:
it was cancelled; 69 no answer, 2 usage.)";

// A line on a terminal that is drawn over and over.
class LiveLine {
 public:
  explicit LiveLine(const Console& console) : console_(console) {}
  ~LiveLine() {
    if (is_drawn_) console_.err << "\r\033[K" << std::flush;
  }
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  void Show(const std::string& line) {
    if (!console_.err_is_terminal) return;
    is_drawn_ = true;
    console_.err << "\r\033[K" << line << std::flush;
  }

 private:
  const Console& console_;
  bool is_drawn_ = false;
};

ExitCode CodeOf(const TrainingRun& run) {
  if (run.state == "succeeded") return ExitCode::kOk;
  return run.state == "cancelled" ? ExitCode::kTemporary : ExitCode::kFailure;
}

class Command {
 public:
  Command(const TrainFlags& flags, const Console& console, TrainingClient* client)
      : flags_(flags), console_(console), client_(*client) {}

  ExitCode Run() {
    switch (flags_.action) {
      case TrainFlags::Action::kSubmit: {
        const auto run = client_.Submit(flags_.run, flags_.config, flags_.overrides);
        return run.ok() && flags_.watch ? Watch(run->name) : Print(run);
      }
      case TrainFlags::Action::kStatus:
        return flags_.run.empty() ? PrintAll() : Print(client_.Get(flags_.run));
      case TrainFlags::Action::kWatch:
        return Watch(flags_.run);
      case TrainFlags::Action::kCancel:
        return Print(client_.Cancel(flags_.run));
      case TrainFlags::Action::kResume:
        return Print(client_.Resume(flags_.run));
      case TrainFlags::Action::kPublish:
        return Publish();
    }
    return ExitCode::kUsage;
  }

 private:
  ExitCode Fail(const absl::Status& status) const { return ReportStatus(console_, flags_.connection, "", status); }

  ExitCode Print(const absl::StatusOr<TrainingRun>& run) const {
    if (!run.ok()) return Fail(run.status());
    if (flags_.json) {
      console_.out << JsonLine(TrainingRunJson(*run)) << "\n";
    } else {
      PrintRun(*run, console_.out);
    }
    return ExitCode::kOk;
  }

  ExitCode PrintAll() const {
    const auto runs = client_.List();
    if (!runs.ok()) return Fail(runs.status());
    if (!flags_.json) PrintRuns(*runs, console_.out);
    for (const TrainingRun& run : *runs) {
      if (flags_.json) console_.out << JsonLine(TrainingRunJson(run)) << "\n";
    }
    return ExitCode::kOk;
  }

  ExitCode Watch(const std::string& name) const {
    absl::StatusOr<TrainingRun> run;
    {
      LiveLine line(console_);
      run = client_.Watch(name, [&](const TrainingRun& now) {
        line.Show(ProgressLine(now));
        // The last one is printed at the end, once.
        if (flags_.json && !now.has_ended) console_.out << JsonLine(TrainingRunJson(now)) << std::endl;
      });
    }
    const ExitCode code = Print(run);
    return run.ok() ? CodeOf(*run) : code;
  }

  ExitCode Publish() const {
    const auto published = client_.Publish(flags_.run, flags_.teacher, flags_.model);
    if (!published.ok()) return Fail(published.status());
    if (flags_.json) {
      console_.out << JsonLine({{"directory", published->directory},
                                {"version", published->version},
                                {"digest", published->digest}})
                   << "\n";
    } else {
      console_.out << OneLine(flags_.model) << ": version " << published->version << " ("
                   << OneLine(published->directory) << ")\n";
    }
    return ExitCode::kOk;
  }

  const TrainFlags& flags_;
  const Console& console_;
  TrainingClient& client_;
};

}  // namespace

CLI::App* AddTrainCommand(CLI::App* app, TrainFlags* flags) {
  using Action = TrainFlags::Action;
  CLI::App* command = app->add_subcommand("train", "Trainings of a candor-training-server");
  command->require_subcommand(1);
  command->footer(kHelp);
  const auto add = [command, flags](const char* name, const char* description, Action action) {
    CLI::App* sub = command->add_subcommand(name, description);
    AddConnectionFlags(sub, &flags->connection);
    sub->add_flag("--json", flags->json, "Print JSON");
    sub->footer(kHelp);
    sub->callback([flags, action] { flags->action = action; });
    return sub;
  };
  const auto add_run = [flags](CLI::App* sub) {
    return sub->add_option("run", flags->run, "The run")->type_name("RUN");
  };
  CLI::App* submit = add("submit", "Hand a training to the service", Action::kSubmit);
  submit->add_option("--config", flags->config, "TrainerConfig as text proto (config/trainer.textproto explains all)")
      ->required()
      ->type_name("FILE");
  submit->add_option("--set", flags->overrides, "One field over the file's, e.g. --set 'epochs: 20' (repeatable)")
      ->allow_extra_args(false);
  submit->add_option("--name", flags->run, "The run's name; default: made of the time")->type_name("RUN");
  submit->add_flag("--watch", flags->watch, "Wait for its end, with progress on a terminal");
  add_run(add("status", "Where runs are, or one run in detail", Action::kStatus));
  add_run(add("watch", "Follow a run to its end", Action::kWatch))->required();
  add_run(add("cancel", "Stop a run; it can be resumed", Action::kCancel))->required();
  add_run(add("resume", "Go on with a run that failed or was cancelled", Action::kResume))->required();
  CLI::App* publish = add("publish", "Put a run's student into the model repository", Action::kPublish);
  add_run(publish)->required();
  publish->add_option("--model", flags->model, "Name of the model there")->required()->type_name("MODEL");
  publish->add_flag("--teacher", flags->teacher, "The teacher instead");
  return command;
}

ExitCode RunTrain(const TrainFlags& flags, const Console& console) {
  const auto client = TrainingClient::Create(OptionsOf(flags.connection));
  if (!client.ok()) return ReportStatus(console, flags.connection, "", client.status());
  return Command(flags, console, client->get()).Run();
}

}  // namespace candor
