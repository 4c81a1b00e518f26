// SPDX-License-Identifier: Apache-2.0
//
// candor-demo: sends sample pictures to the student and the teacher of a running server, prints what they cost and how
// well they do, and writes a page that shows it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "client/cli/connection.h"
#include "client/cli/console.h"
#include "client/demo/demo_page.h"
#include "client/demo/demo_run.h"
#include "client/demo/demo_table.h"
#include "core/base/exit_code.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

struct DemoFlags {
  ConnectionFlags connection;
  DemoOptions demo;
  std::string out = "build/demo";
};

absl::Status Run(const DemoFlags& flags, const Console& console) {
  ASSIGN_OR_RETURN(const auto client, Connect(flags.connection));
  const auto progress = [&console](int index, int count, absl::string_view name) {
    console.err << absl::StreamFormat("candor-demo: picture %d of %d: %s\n", index + 1, count, OneLine(name));
  };
  ASSIGN_OR_RETURN(const DemoReport report, RunDemo(client.get(), flags.demo, progress));
  PrintDemoTable(report, console.out);
  RETURN_IF_ERROR(MakeDirectories(flags.out));
  RETURN_IF_ERROR(WriteFileAtomically(flags.out + "/index.html", RenderDemoPage(report)));
  console.out << "Wrote " << flags.out << "/index.html: open it in a browser.\n" << std::flush;
  return console.out ? absl::OkStatus() : absl::DataLossError("standard output: cannot be written");
}

int Main(int argc, const char* const* argv, const Console& console) {
  DemoFlags flags;
  flags.demo.samples = "models/samples";
  CLI::App app("Shows what the student and the teacher of a running candor-server make of sample pictures.",
               "candor-demo");
  app.set_version_flag("--version", "candor-demo " CANDOR_VERSION);
  app.set_help_flag("-h,--help", "Print this help");
  AddConnectionFlags(&app, &flags.connection);
  app.add_option("--samples", flags.demo.samples, "Pictures, each NAME.jpg or .png with or without NAME_truth.png")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--out", flags.out, "Where to write index.html")->type_name("DIR")->capture_default_str();
  app.add_option("--calls", flags.demo.calls, "Timed calls, a picture and model")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return app.exit(error, console.out, console.err);
    }
    ReportError(console, absl::StrFormat("%s (see candor-demo --help)", error.what()));
    return static_cast<int>(ExitCode::kUsage);
  }
  const absl::Status status = Run(flags, console);
  return static_cast<int>(status.ok() ? ExitCode::kOk : ReportStatus(console, flags.connection, "", status));
}

// Ends at once, whatever call is in flight. The page is written whole or not at all, so there is nothing to undo.
void ExitInterrupted(int /*signal*/) { _exit(static_cast<int>(ExitCode::kInterrupted)); }

}  // namespace
}  // namespace candor

int main(int argc, char** argv) {
  std::signal(SIGINT, candor::ExitInterrupted);
  const char* no_colour = std::getenv("NO_COLOR");
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const candor::Console console{std::cin, std::cout, std::cerr, terminal,
                                terminal && (no_colour == nullptr || *no_colour == '\0')};
  try {
    return candor::Main(argc, argv, console);
  } catch (const std::exception& error) {
    std::cerr << "candor-demo: " << error.what() << "\n";
    return static_cast<int>(candor::ExitCode::kInternal);
  }
}
