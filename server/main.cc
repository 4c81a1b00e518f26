// SPDX-License-Identifier: Apache-2.0
//
// candor-server: loads the bundles, serves until SIGTERM, drains.
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/cpu_count.h"
#include "core/base/exit_code.h"
#include "core/base/log.h"
#include "core/base/process_setup.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/segmenter/segmenter.h"
#include "google/protobuf/text_format.h"
#include "security/security.h"
#include "server/config.h"
#include "server/execution/inference_scheduler.h"
#include "server/flags.h"
#include "server/health/service_manager.h"
#include "server/lifecycle/load_model.h"
#include "server/model_registry.h"
#include "server/server.h"
#include "server/shutdown_signal.h"

namespace candor {
namespace {

int Fail(ExitCode code, const absl::Status& status) {
  std::cerr << "candor-server: " << status.message() << std::endl;
  return static_cast<int>(code);
}

std::vector<std::string> Aliases(const v1::ModelConfig& model) {
  return {model.aliases().begin(), model.aliases().end()};
}

absl::StatusOr<Bundle> ReadWhatIsSound(const std::string& directory) {
  ASSIGN_OR_RETURN(Bundle bundle, OpenBundle(directory));
  const MembersOnDisk members = FindSoundMembers(bundle);
  if (!members.reason.ok() && !CanGoOnWith(members, bundle)) return members.reason;
  return bundle;
}

// Reads and verifies every bundle without building a network.
absl::Status CheckBundles(const v1::ServerConfig& config) {
  std::vector<ModelNaming> namings;
  for (const v1::ModelConfig& model : config.models()) {
    ASSIGN_OR_RETURN(const VersionOnDisk version, ChooseVersion(model.bundle(), model.version()));
    ASSIGN_OR_RETURN(const Bundle bundle, config.allow_partial_ensemble() ? ReadWhatIsSound(version.directory)
                                                                          : ReadBundle(version.directory));
    namings.push_back({bundle.name, bundle.spec.kind, Aliases(model), PredictionCount(bundle.spec)});
  }
  return ModelNames::Resolve(namings, config.default_model()).status();
}

SegmenterLoader LoaderWith(const LoadOptions& options) {
  return [options](const std::string& directory) -> absl::StatusOr<std::shared_ptr<Segmenter>> {
    ASSIGN_OR_RETURN(std::shared_ptr<Segmenter> segmenter, LoadSegmenter(directory, options));
    return segmenter;
  };
}

// How models are loaded before the server is there, and while it is: then with one thread beside the inference.
struct Loading {
  SegmenterLoader at_start;
  ModelLoading while_serving;
};

absl::StatusOr<Loading> PrepareLoading(const v1::ServerConfig& config, InferenceScheduler* scheduler) {
  ASSIGN_OR_RETURN(const Device wanted, ParseDevice(config.device()));
  LoadOptions options;
  ASSIGN_OR_RETURN(options.device, PrepareDevice(wanted));
  ASSIGN_OR_RETURN(options.precision, ParsePrecision(config.precision()));
  options.threads = config.threads();
  options.allow_partial_ensemble = config.allow_partial_ensemble();
  Loading loading;
  loading.at_start = LoaderWith(options);
  options.threads = 0;  // prepare_thread has set the number
  loading.while_serving.load = LoaderWith(options);
  loading.while_serving.prepare_thread = [scheduler, threads = config.threads()] {
    SetInferenceThreads(1);
    scheduler->RunAndWait([threads] { SetInferenceThreads(threads); });
  };
  return loading;
}

absl::StatusOr<std::unique_ptr<ModelRegistry>> LoadModels(const v1::ServerConfig& config, const SegmenterLoader& load) {
  std::vector<LoadedModel> models;
  for (const v1::ModelConfig& model_config : config.models()) {
    ASSIGN_OR_RETURN(LoadedModel model, LoadConfiguredModel(model_config, load));
    models.push_back(std::move(model));
  }
  return ModelRegistry::Create(std::move(models), config.default_model());
}

// SIGHUP: the file again, as far as it can change while serving.
void Reconfigure(const ServerFlags& flags, Server* server) {
  const absl::StatusOr<v1::ServerConfig> config = MakeServerConfig(flags);
  if (config.ok()) {
    server->Configure(*config);
  } else {
    LogWarning("SIGHUP: new configuration refused, the old one goes on", {{"error", config.status().message()}});
  }
}

int Serve(v1::ServerConfig config, const ServerFlags& flags) {
  ShutdownSignal shutdown;
  if (config.threads() == 0) config.set_threads(UsableCores());
  std::atomic<bool> has_device_failed = false;
  InferenceScheduler scheduler(
      {config.max_pending_requests(), config.queued_picture_bytes()},
      [&has_device_failed](const absl::Status& failure) {
        LogError("the device has failed: draining, then ending the process", {{"error", failure.message()}});
        has_device_failed = true;
        kill(getpid(), SIGTERM);
      });
  absl::StatusOr<Loading> loading;
  absl::StatusOr<std::unique_ptr<ModelRegistry>> models;
  scheduler.RunAndWait([&] {
    loading = PrepareLoading(config, &scheduler);
    models = loading.ok() ? LoadModels(config, loading->at_start) : loading.status();
  });
  if (!models.ok()) return Fail(ExitCode::kConfiguration, models.status());
  malloc_trim(0);  // what reading the weight files took
  absl::StatusOr<std::unique_ptr<Server>> server =
      Server::Start(config, *std::move(models), &scheduler, std::move(loading->while_serving));
  if (!server.ok()) {
    return Fail(absl::IsUnavailable(server.status()) ? ExitCode::kUnavailable : ExitCode::kConfiguration,
                server.status());
  }
  shutdown.Arm();
  std::cout << "listening grpc=" << (*server)->grpc_address() << " metrics=" << (*server)->metrics_address()
            << std::endl;
  TellServiceManager("READY=1");
  while (shutdown.Wait() == ShutdownSignal::Event::kHangup) Reconfigure(flags, server->get());
  LogInfo("draining");
  TellServiceManager("STOPPING=1");
  (*server)->Drain();
  LogInfo("stopped");
  return static_cast<int>(has_device_failed ? ExitCode::kInternal : ExitCode::kOk);
}

int Run(int argc, char** argv) {
  std::variant<ServerFlags, ExitCode> parsed = ParseServerFlags(argc, argv, std::cout, std::cerr);
  if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
  const ServerFlags& flags = std::get<ServerFlags>(parsed);
  if (!flags.print_config && !flags.check_config) RestartWithOpenMpSetting("GOMP_SPINCOUNT", kServingSpins, argv);
  absl::StatusOr<v1::ServerConfig> config = MakeServerConfig(flags);
  if (!config.ok()) return Fail(ExitCode::kConfiguration, config.status());
  SetLogLevel(*ParseLogLevel(config->log_level()));
  // Now, not after the models are loaded.
  const absl::Status security =
      OpenSecurity(config->has_tls() ? &config->tls() : nullptr, config->token_file()).status();
  if (!security.ok()) return Fail(ExitCode::kConfiguration, security);
  if (flags.print_config) {
    std::string text;
    google::protobuf::TextFormat::PrintToString(*config, &text);
    std::cout << text << std::flush;
  }
  if (flags.check_config) {
    absl::Status status = CheckBundles(*config);
    if (!status.ok()) return Fail(ExitCode::kConfiguration, status);
    std::cout << "configuration ok" << std::endl;
  }
  if (flags.print_config || flags.check_config) return static_cast<int>(ExitCode::kOk);
  return Serve(*std::move(config), flags);
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) {
  candor::ConfigureAllocator();
  candor::DisableDeadlockDetection();
  candor::RaiseFileLimit();
  try {
    return candor::Run(argc, argv);
  } catch (const std::exception& e) {
    return candor::Fail(candor::ExitCode::kInternal, absl::InternalError(e.what()));
  }
}
