// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace candor {
namespace {

constexpr char kDescription[] =
    "Trains ensembles and their students as a service (candor.v1.Training): runs are candor-train processes of this\n"
    "machine, or Slurm's jobs. Prints 'listening grpc=HOST:PORT metrics=HOST:PORT' once ready. SIGTERM stops local "
    "runs,\n"
    "their checkpoints are kept, and the next start goes on with them; Slurm's jobs go on meanwhile.\n"
    "Exit codes: 0 stopped, 2 usage, 69 a port is taken, 74 the runs' folder cannot be used, 78 wrong certificates or\n"
    "tokens.";

void AddFlags(CLI::App* app, ServiceFlags* flags) {
  app->set_version_flag("--version", absl::StrCat("candor-training-server ", CANDOR_VERSION));
  app->add_option("--runs", flags->runs, "Folder of the runs; made if it is not there")->required()->type_name("DIR");
  app->add_option("--listen", flags->listen, "gRPC address; port 0 takes a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app->add_option("--metrics-listen", flags->metrics_listen, "Address of /metrics, or 'off'")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app->add_option("--model-repository", flags->model_repository,
                  "Where PublishBundle puts models: a directory that candor-server has among its model_roots")
      ->type_name("DIR");
  app->add_option("--train", flags->train, "candor-train's path (default: beside this program)")->type_name("FILE");
  app->add_option("--executor", flags->executor, "Who trains: local or slurm")
      ->check(CLI::IsMember({"local", "slurm"}))
      ->capture_default_str();
  app->add_option("--at-once", flags->at_once, "Runs that train at the same time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app->add_option("--jobs", flags->jobs, "Members of a run at once; 0: one a core, or as Slurm likes")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app->add_option("--submit", flags->submit, "deploy/slurm/submit.sh, for the executor slurm")->type_name("FILE");
  app->add_option("--sbatch-option", flags->sbatch_options, "One option of sbatch, such as --gres=gpu:1 (repeatable)")
      ->allow_extra_args(false);
  app->add_option("--tls-cert", flags->tls_cert, "Certificate chain of this service, PEM")->type_name("FILE");
  app->add_option("--tls-key", flags->tls_key, "Its private key, PEM")->type_name("FILE");
  app->add_option("--tls-client-ca", flags->tls_client_ca, "Callers need a certificate of this authority, PEM")
      ->type_name("FILE");
  app->add_option(
         "--token-file", flags->token_file,
         "Callers need a token of this file, which has one 'infer TOKEN' (may look) or 'admin TOKEN' (may do all)"
         " a line; read again when it changes")
      ->type_name("FILE");
  app->add_flag("--insecure", flags->insecure,
                "Let anyone who reaches an address that is not loopback start trainings");
}

bool IsLoopback(const std::string& address) {
  return absl::StartsWith(address, "127.") || absl::StartsWith(address, "localhost:") ||
         absl::StartsWith(address, "[::1]:");
}

// "" or the rule that the flags break together.
std::string Problem(const ServiceFlags& flags) {
  if (flags.tls_cert.empty() != flags.tls_key.empty()) return "--tls-cert and --tls-key: must be given together";
  if (!flags.tls_client_ca.empty() && flags.tls_cert.empty()) return "--tls-client-ca: needs --tls-cert and --tls-key";
  if (flags.executor == "slurm" && flags.submit.empty()) return "--submit: is required with --executor slurm";
  if (IsLoopback(flags.listen)) return "";
  if (!flags.token_file.empty() && flags.tls_cert.empty()) {
    return absl::StrCat("--token-file: needs --tls-cert and --tls-key, since --listen (", flags.listen,
                        ") is not a loopback address");
  }
  if (flags.tls_client_ca.empty() && flags.token_file.empty() && !flags.insecure) {
    return absl::StrCat(
        "--listen: an address that is not loopback needs --tls-client-ca or --token-file (or --insecure), got ",
        flags.listen);
  }
  return "";
}

}  // namespace

std::variant<ServiceFlags, ExitCode> ParseServiceFlags(int argc, const char* const* argv, std::ostream& out,
                                                       std::ostream& err) {
  ServiceFlags flags;
  CLI::App app(kDescription, "candor-training-server");
  AddFlags(&app, &flags);
  std::string problem;
  try {
    app.parse(argc, argv);
    problem = Problem(flags);
  } catch (const CLI::Success& success) {  // --help, --version
    app.exit(success, out, err);
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    problem = error.what();
    std::replace(problem.begin(), problem.end(), '\n', ' ');
  }
  if (problem.empty()) return flags;
  err << "candor-training-server: " << problem << " (see candor-training-server --help)\n";
  return ExitCode::kUsage;
}

}  // namespace candor
