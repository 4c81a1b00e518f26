// SPDX-License-Identifier: Apache-2.0
//
// Declares the subcommands, reads the arguments and maps CLI11's outcomes to our exit codes.
#include "client/cli/command_line.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "client/cli/admin_command.h"
#include "client/cli/bench_command.h"
#include "client/cli/compare_command.h"
#include "client/cli/health_command.h"
#include "client/cli/models_command.h"
#include "client/cli/segment_command.h"
#include "client/cli/stream_command.h"
#include "client/cli/train_command.h"

namespace candor {
namespace {

constexpr char kHelp[] = R"(Examples:
  candor segment --out results street.jpg
  candor compare --student student --teacher teacher street.jpg
  candor models
  candor health
  candor stream --fps 10 pictures/
  candor bench --rate 20 --duration 30
  candor admin reload
  candor train status

Data goes to stdout, errors and progress to stderr. `candor COMMAND --help` tells the rest.)";

struct Flags {
  SegmentFlags segment;
  CompareFlags compare;
  ModelsFlags models;
  HealthFlags health;
  StreamFlags stream;
  BenchFlags bench;
  AdminFlags admin;
  TrainFlags train;
};

}  // namespace

ExitCode RunCandor(int argc, const char* const* argv, const Console& console) {
  CLI::App app(
      "Semantic segmentation that says how sure it is: the client of candor-server and candor-training-server.",
      "candor");
  app.set_version_flag("--version", "candor " CANDOR_VERSION);
  app.set_help_flag("-h,--help", "Print this help");
  app.require_subcommand(1);
  app.footer(kHelp);
  Flags flags;
  const CLI::App* segment = AddSegmentCommand(&app, &flags.segment);
  const CLI::App* compare = AddCompareCommand(&app, &flags.compare);
  const CLI::App* models = AddModelsCommand(&app, &flags.models);
  const CLI::App* health = AddHealthCommand(&app, &flags.health);
  const CLI::App* admin = AddAdminCommand(&app, &flags.admin);
  const CLI::App* train = AddTrainCommand(&app, &flags.train);
  const CLI::App* stream = AddStreamCommand(&app, &flags.stream);
  AddBenchCommand(&app, &flags.bench);

  ExitCode code = ExitCode::kOk;
  try {
    app.parse(argc, argv);
    code = segment->parsed()   ? RunSegment(flags.segment, console)
           : compare->parsed() ? RunCompare(flags.compare, console)
           : models->parsed()  ? RunModels(flags.models, console)
           : health->parsed()  ? RunHealth(flags.health, console)
           : admin->parsed()   ? RunAdmin(flags.admin, console)
           : train->parsed()   ? RunTrain(flags.train, console)
           : stream->parsed()  ? RunStream(flags.stream, console)
                               : RunBench(flags.bench, console);
  } catch (const CLI::ParseError& error) {
    // CLI11's own exit codes are not ours; asking for help or the version is a success.
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::Success)) {
      const auto chosen = app.get_subcommands();
      const std::string command = chosen.empty() ? "candor" : absl::StrCat("candor ", chosen.back()->get_name());
      ReportError(console, absl::StrCat(error.what(), " (see ", command, " --help)"));
      return ExitCode::kUsage;
    }
    app.exit(error, console.out, console.err);
  }
  console.out.flush();
  if (!console.out && code == ExitCode::kOk) {
    ReportError(console, "standard output: cannot be written");
    return ExitCode::kIo;
  }
  return code;
}

}  // namespace candor
