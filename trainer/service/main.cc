// SPDX-License-Identifier: Apache-2.0
//
// candor-training-server: trains until SIGTERM.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "core/base/log.h"
#include "security/security.h"
#include "trainer/service/flags.h"
#include "trainer/service/local_executor.h"
#include "trainer/service/service_server.h"
#include "trainer/service/slurm_executor.h"
#include "trainer/service/training_runs.h"
#include "trainer/stop_signal.h"

namespace candor {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(100);

int Fail(const absl::Status& status) {
  std::cerr << "candor-training-server: " << status.message() << std::endl;
  const bool is_io = absl::IsDataLoss(status);
  const ExitCode code = is_io                         ? ExitCode::kIo
                        : absl::IsUnavailable(status) ? ExitCode::kUnavailable
                                                      : ExitCode::kConfiguration;
  return static_cast<int>(code);
}

std::string TrainPath(const ServiceFlags& flags) {
  return flags.train.empty() ? std::filesystem::read_symlink("/proc/self/exe").parent_path() / "candor-train"
                             : std::filesystem::absolute(flags.train);
}

absl::StatusOr<std::unique_ptr<RunExecutor>> MakeExecutor(const ServiceFlags& flags) {
  const std::string train = TrainPath(flags);
  if (access(train.c_str(), X_OK) != 0) {
    return absl::InvalidArgumentError("--train: must be a program, got " + train);
  }
  if (flags.executor == "local") return std::make_unique<LocalExecutor>(train, flags.jobs);
  if (access(flags.submit.c_str(), X_OK) != 0) {
    return absl::InvalidArgumentError("--submit: must be a program, got " + flags.submit);
  }
  return std::make_unique<SlurmExecutor>(
      SlurmExecutor::Options{std::filesystem::absolute(flags.submit), train, flags.jobs, flags.sbatch_options});
}

absl::StatusOr<Security> SecurityOf(const ServiceFlags& flags) {
  v1::TlsConfig tls;
  tls.set_certificate_file(flags.tls_cert);
  tls.set_key_file(flags.tls_key);
  tls.set_client_ca_file(flags.tls_client_ca);
  tls.set_require_client_certificate(!flags.tls_client_ca.empty());
  return OpenSecurity(flags.tls_cert.empty() ? nullptr : &tls, flags.token_file);
}

int Serve(const ServiceFlags& flags) {
  CatchStopSignals();
  absl::StatusOr<Security> security = SecurityOf(flags);  // before any run is started
  if (!security.ok()) return Fail(security.status());
  absl::StatusOr<std::unique_ptr<RunExecutor>> executor = MakeExecutor(flags);
  if (!executor.ok()) return Fail(executor.status());
  RunsOptions options;
  options.folder = flags.runs;
  options.at_once = flags.at_once;
  const auto runs = TrainingRuns::Open(options, *std::move(executor));
  if (!runs.ok()) return Fail(runs.status());
  const auto server = ServiceServer::Start({flags.listen, flags.metrics_listen, flags.model_repository},
                                           *std::move(security), runs->get());
  if (!server.ok()) return Fail(server.status());
  std::cout << "listening grpc=" << (*server)->grpc_address() << " metrics=" << (*server)->metrics_address()
            << std::endl;
  while (!StopRequested()) absl::SleepFor(kPoll);
  LogInfo("stopping");
  (*runs)->Stop();  // at once: closing the ports takes seconds
  return static_cast<int>(ExitCode::kOk);
}

int Run(int argc, char** argv) {
  const auto parsed = ParseServiceFlags(argc, argv, std::cout, std::cerr);
  if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
  return Serve(std::get<ServiceFlags>(parsed));
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) {
  // Debian builds Abseil with it: each lock of any mutex, gRPC's included, then takes a global one and keeps a graph.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  try {
    return candor::Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "candor-training-server: " << error.what() << std::endl;
    return static_cast<int>(candor::ExitCode::kInternal);
  }
}
