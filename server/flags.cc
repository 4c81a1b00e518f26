// SPDX-License-Identifier: Apache-2.0
//
// The command line of candor-server.
#include "server/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/build_info.h"

namespace candor {
namespace {

constexpr char kDescription[] =
    "Serves semantic segmentation with a label and an uncertainty for each pixel, over gRPC.\n"
    "Flags override the configuration file. Prints 'listening grpc=HOST:PORT metrics=HOST:PORT' once ready.\n"
    "SIGHUP takes newer versions of the models, and the configuration's models and default model as they are then.\n"
    "Exit codes: 0 drained after SIGTERM, 2 usage, 69 a port is taken, 70 internal, 78 configuration or bundle "
    "refused,\n"
    "130 a second signal.";

void AddFlags(CLI::App* app, ServerFlags* flags) {
  app->set_version_flag("--version", absl::StrCat("candor-server ", BuildVersion(), " (", BuildGit(), ")"));
  app->add_option("--config", flags->config_path, "Configuration, a text proto (see config/server.textproto)");
  app->add_option("--bundle", flags->bundles,
                  "Bundle, or directory of its versions, to serve; repeatable; overrides the configuration's models")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app->add_option("--model", flags->default_model, "Model for requests that name none: student, teacher or a name");
  app->add_option("--device", flags->device, "auto, cpu or cuda");
  app->add_option("--precision", flags->precision,
                  "What networks compute in: fp32, bf16, int8 (after candor-train quantise), or auto: bf16 where the "
                  "processor has it natively");
  app->add_option("--listen", flags->listen, "gRPC address; port 0 takes a free one")->type_name("HOST:PORT");
  app->add_option("--metrics-listen", flags->metrics_listen, "Address of /metrics, or 'off'")->type_name("HOST:PORT");
  app->add_option("--threads", flags->threads, "Threads for decoding, inference and encoding; 0: all cores allowed");
  app->add_option("--log-level", flags->log_level, "debug, info, warning or error");
  app->add_flag("--allow-partial-ensemble", flags->allow_partial_ensemble,
                "Serve an ensemble without the members whose files are damaged, if two are sound");
  app->add_flag("--check-config", flags->check_config, "Check the configuration and the bundles, then exit");
  app->add_flag("--print-config", flags->print_config, "Print the configuration in effect, then exit");
}

}  // namespace

std::variant<ServerFlags, ExitCode> ParseServerFlags(int argc, const char* const* argv, std::ostream& out,
                                                     std::ostream& err) {
  ServerFlags flags;
  CLI::App app(kDescription, "candor-server");
  AddFlags(&app, &flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    app.exit(success, out, err);
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    std::string reason = error.what();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    err << "candor-server: " << reason << " (see candor-server --help)\n";
    return ExitCode::kUsage;
  }
  return flags;
}

}  // namespace candor
