// SPDX-License-Identifier: Apache-2.0
//
// Wires the parts of the server.
#include "server/server.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/exit_code.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/segmenter/device_memory.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "security/security.h"
#include "server/build_info.h"
#include "server/call_gate.h"
#include "server/config.h"
#include "server/health/health_board.h"
#include "server/health/port_probe.h"
#include "server/health/self_probe.h"
#include "server/health/service_manager.h"
#include "server/kserve/kserve_service.h"
#include "server/lifecycle/admin_service.h"
#include "server/lifecycle/model_lifecycle.h"
#include "server/metrics/gpu_metrics.h"
#include "server/metrics/metrics.h"
#include "server/metrics/metrics_page.h"
#include "server/metrics/process_metrics.h"
#include "server/metrics/triton_metrics.h"
#include "server/refused_pictures.h"
#include "server/segmentation_service.h"

namespace candor {
namespace {

constexpr char kServiceName[] = "candor.v1.Segmentation";
constexpr char kInferenceServiceName[] = "inference.GRPCInferenceService";

// Linking the reflection library registers its plug-in with every server builder; this takes it out again.
class WithoutReflection : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    const auto is_reflection = [](const std::unique_ptr<grpc::ServerBuilderPlugin>& plugin) {
      return plugin->name() == "proto_server_reflection";
    };
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(), is_reflection), plugins->end());
  }
};

// gRPC's own errors as our log lines. While a port is being opened they say, over several lines, what we say in one.
void LogFromGrpc(gpr_log_func_args* args) {
  if (args->severity == GPR_LOG_SEVERITY_ERROR) LogDebug("gRPC", {{"message", args->message}});
}

// Protobuf's complaints, such as of text that is not UTF-8: whatever a caller sends, the log stays ours.
void LogFromProtobuf(google::protobuf::LogLevel /*level*/, const char* /*file*/, int /*line*/,
                     const std::string& message) {
  LogDebug("protobuf", {{"message", message}});
}

void SetGrpcArguments(const v1::ServerConfig& config, grpc::ServerBuilder* builder) {
  // On by default: a second server on the same port would start happily and take half the connections.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, config.max_concurrent_streams());
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, config.handshake_timeout_ms());
  if (config.max_connection_age_ms() > 0) {
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, config.max_connection_age_ms());
  }
  if (config.max_connection_age_grace_ms() > 0) {
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, config.max_connection_age_grace_ms());
  }
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, config.keepalive_ms());
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, config.keepalive_timeout_ms());
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Our client pings every 60 s.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30000);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  // A compressed message is inflated without bound before its size is checked.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder->SetMaxSendMessageSize(-1);
}

ModelMetricsInfo MetricsInfo(const LoadedModel& model) {
  const ModelInfo& info = model.segmenter->info();
  ModelMetricsInfo metrics{info.name, info.version, model.load_seconds, info.spec.default_kind(), {}, false};
  for (const ClassSpec& spec : info.spec.classes) metrics.class_names.push_back(spec.name);
  metrics.gives_verdicts = info.spec.calibration.has_value() && info.spec.calibration->verdict.has_value();
  if (info.spec.calibration.has_value()) metrics.reference = info.spec.calibration->reference;
  metrics.members = static_cast<int>(info.spec.weights.size());
  metrics.damaged_members = static_cast<int>(info.damaged_members.size());
  return metrics;
}

KServeSettings KServeSettingsOf(const v1::ServerConfig& config) {
  KServeSettings settings;
  settings.max_pictures = std::min(config.max_pending_requests(), KServeSettings::kMostPictures);
  settings.max_message_bytes = config.max_message_bytes();
  settings.has_shared_memory = config.system_shared_memory();
  settings.log_level = ParseLogLevel(config.log_level()).value_or(LogLevel::kInfo);
  return settings;
}

std::vector<ModelMetricsInfo> MetricsInfos(const ModelRegistry& models) {
  std::vector<ModelMetricsInfo> result;
  for (const LoadedModel& model : models.models()) result.push_back(MetricsInfo(model));
  return result;
}

std::unique_ptr<Shadow> MakeShadow(const v1::ServerConfig& config, InferenceScheduler& scheduler, WorkerPool& workers,
                                   Metrics& metrics) {
  if (!config.has_shadow()) return nullptr;
  return std::make_unique<Shadow>(config.shadow().model(), config.shadow().share(), config.shadow().max_busy_share(),
                                  scheduler, workers, metrics);
}

// Names and aliases.
std::set<std::string> NamesOf(const ModelRegistry& models) {
  std::set<std::string> names;
  for (const LoadedModel& model : models.models()) {
    names.insert(model.segmenter->info().name);
    names.insert(model.aliases.begin(), model.aliases.end());
  }
  return names;
}

class ServerImpl : public Server {
 public:
  // `refused_pictures` may be null.
  ServerImpl(const v1::ServerConfig& config, Security security, std::unique_ptr<ModelRegistry> models,
             std::unique_ptr<RefusedPictures> refused_pictures, InferenceScheduler* scheduler, ModelLoading loading)
      : config_(config),
        security_(std::move(security)),
        models_(std::shared_ptr<const ModelRegistry>(std::move(models))),
        refused_pictures_(std::move(refused_pictures)),
        metrics_(BuildVersion(), BuildGit(), MetricsInfos(*models_.Now())),
        process_metrics_(std::make_shared<ProcessMetrics>()),
        gpu_metrics_(std::make_shared<GpuMetrics>(DeviceMemoryNow)),
        admission_(config.max_pending_requests(), std::chrono::milliseconds(config.unread_answer_ms())),
        serving_{models_,
                 *scheduler,
                 workers_,
                 admission_,
                 metrics_,
                 *statistics_,
                 DecodeLimits{config.max_pixels()},
                 config.uncertainty_threshold(),
                 config.max_streams(),
                 refused_pictures_.get()},
        workers_(config.threads()),
        shadow_(MakeShadow(config, *scheduler, workers_, metrics_)),
        gate_(serving_, security_.authorizer.get()),
        service_(serving_, &gate_),
        kserve_service_(serving_, &gate_, KServeSettingsOf(config)) {
    serving_.shadow = shadow_.get();
    if (shadow_ != nullptr && !models_.Now()->Find(config.shadow().model()).ok()) {
      LogWarning("shadow: its model is not loaded, so nothing is checked", {{"model", config.shadow().model()}});
    }
    if (!loading.load) return;
    lifecycle_ = std::make_unique<ModelLifecycle>(
        config_, *models_.Now(),
        ModelLifecycle::Surroundings{std::move(loading.prepare_thread), std::move(loading.load),
                                     [this](std::shared_ptr<const ModelRegistry> next) { Publish(std::move(next)); },
                                     [this](absl::string_view model, bool ok) { metrics_.ModelLoadEnded(model, ok); }});
    kserve_service_.SetLifecycle(lifecycle_.get());
    admin_ = std::make_unique<AdminService>(lifecycle_.get(), &workers_, &gate_);
  }

  ~ServerImpl() override { ServerImpl::Drain(); }

  absl::Status StartMetrics();
  absl::Status StartGrpc();
  void StartSelfProbe(const std::string& host, int port);

  const std::string& grpc_address() const override { return grpc_address_; }
  const std::string& metrics_address() const override { return metrics_address_; }
  void Drain() override;
  void Configure(const v1::ServerConfig& config) override {
    if (lifecycle_ != nullptr) lifecycle_->Configure(config);
  }

 private:
  void Publish(std::shared_ptr<const ModelRegistry> models);

  const v1::ServerConfig config_;
  const Security security_;
  ModelHub models_;
  const std::unique_ptr<RefusedPictures> refused_pictures_;
  Metrics metrics_;
  const std::shared_ptr<InferenceStatistics> statistics_ = std::make_shared<InferenceStatistics>();
  const std::shared_ptr<ProcessMetrics> process_metrics_;
  const std::shared_ptr<GpuMetrics> gpu_metrics_;
  Admission admission_;
  ServingContext serving_;
  WorkerPool workers_;              // its threads end before what they use
  std::unique_ptr<Shadow> shadow_;  // null: none
  CallGate gate_;
  SegmentationService service_;
  KServeService kserve_service_;
  std::unique_ptr<ModelLifecycle> lifecycle_;  // these two: null without ModelLoading::load
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<MetricsPage> metrics_page_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<HealthBoard> health_;
  std::unique_ptr<SelfProbe> self_probe_;
  std::string grpc_address_;
  std::string metrics_address_ = kMetricsOff;
};

absl::Status ServerImpl::StartMetrics() {
  if (config_.metrics_listen() == kMetricsOff) return absl::OkStatus();
  ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(config_.metrics_listen()));
  absl::StatusOr<std::unique_ptr<MetricsPage>> page =
      MetricsPage::Open(address.host, address.port, {metrics_.registry(), process_metrics_, gpu_metrics_},
                        std::make_shared<TritonMetrics>(statistics_));
  if (!page.ok()) return absl::UnavailableError(absl::StrCat("metrics_listen: ", page.status().message()));
  metrics_page_ = *std::move(page);
  metrics_address_ = absl::StrCat(address.host, ":", metrics_page_->port());
  return absl::OkStatus();
}

absl::Status ServerImpl::StartGrpc() {
  gpr_set_log_function(LogFromGrpc);
  google::protobuf::SetLogHandler(LogFromProtobuf);
  signal(SIGPIPE, SIG_IGN);  // a collector of the log that ends must not take the server with it
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();  // keeps the linker from dropping the library
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetGrpcArguments(config_, &builder);
  builder.SetMaxReceiveMessageSize(static_cast<int>(config_.max_message_bytes()));
  // The limit on one message is checked after it is buffered; only the quota bounds what is buffered. A connection
  // takes some of it for itself, hence the floor.
  constexpr int64_t kSmallestQuota = 4 << 20;
  grpc::ResourceQuota quota("candor");
  quota.Resize(static_cast<size_t>(std::max(config_.message_memory_bytes(), kSmallestQuota)));
  builder.SetResourceQuota(quota);
  if (!config_.reflection()) builder.SetOption(std::make_unique<WithoutReflection>());
  int port = 0;
  builder.AddListeningPort(
      config_.listen(),
      security_.tls == nullptr ? grpc::InsecureServerCredentials() : security_.tls->MakeServerCredentials(), &port);
  builder.RegisterService(&service_);
  builder.RegisterService(&kserve_service_);
  if (admin_ != nullptr) builder.RegisterService(admin_.get());
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("listen: cannot listen on ", config_.listen(),
                                               ": the port is taken, or the host is not of this machine"));
  }
  ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(config_.listen()));
  grpc_address_ = absl::StrCat(address.host, ":", port);
  health_ = std::make_unique<HealthBoard>(grpc_->GetHealthCheckService(),
                                          std::vector<std::string>{kServiceName, kInferenceServiceName},
                                          [this](const std::set<std::string>& names) { metrics_.ModelsServe(names); });
  health_->ShowModels(NamesOf(*models_.Now()));
  if (lifecycle_ != nullptr) lifecycle_->Open();
  if (config_.self_probe_interval_ms() > 0) StartSelfProbe(address.host, port);
  return absl::OkStatus();
}

// Counted before the first call, shown once calls may come.
void ServerImpl::Publish(std::shared_ptr<const ModelRegistry> models) {
  const std::shared_ptr<const ModelRegistry> before = models_.Now();
  const auto is_in = [](const ModelRegistry& registry, const ModelInfo& info) {
    return std::any_of(registry.models().begin(), registry.models().end(), [&info](const LoadedModel& model) {
      const ModelInfo& other = model.segmenter->info();
      return other.name == info.name && other.version == info.version && other.digest == info.digest;
    });
  };
  for (const LoadedModel& model : before->models()) {
    const ModelInfo& info = model.segmenter->info();
    if (!is_in(*models, info)) metrics_.RemoveModel(info.name, info.version);
  }
  for (const LoadedModel& model : models->models()) {
    if (!is_in(*before, model.segmenter->info())) metrics_.AddModel(MetricsInfo(model));
  }
  models_.Replace(models);
  health_->ShowModels(NamesOf(*models));
}

void ServerImpl::StartSelfProbe(const std::string& host, int port) {
  const PortProtocol protocol = security_.tls == nullptr ? PortProtocol::kPlainText : PortProtocol::kTls;
  // What answers on the port, and what computes the answers: no client certificate could be had for one call that does
  // both.
  const auto health = std::make_shared<grpc::health::v1::Health::Stub>(grpc_->InProcessChannel({}));
  const absl::Duration interval = absl::Milliseconds(config_.self_probe_interval_ms());
  const absl::Duration timeout = std::min(interval, absl::Seconds(5));
  const auto probe = [host, port, protocol, health, timeout]() -> absl::Status {
    RETURN_IF_ERROR(ProbePort(host, port, protocol, timeout));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    grpc::health::v1::HealthCheckResponse response;
    const grpc::Status status = health->Check(&context, {}, &response);
    if (!status.ok()) return absl::UnavailableError(absl::StrCat("health check: ", status.error_message()));
    TellServiceManager("WATCHDOG=1");
    return absl::OkStatus();
  };
  self_probe_ =
      std::make_unique<SelfProbe>(interval, config_.self_probe_failures(), probe, [](const absl::Status& failure) {
        LogError("the server no longer answers on its own port: ending the process", {{"error", failure.message()}});
        _exit(static_cast<int>(ExitCode::kInternal));  // nothing here can be trusted to end in good order
      });
}

void ServerImpl::Drain() {
  if (grpc_ == nullptr) return;
  self_probe_.reset();
  if (lifecycle_ != nullptr) lifecycle_->Close();
  kserve_service_.SayNotReady();
  if (config_.drain_delay_ms() > 0) {
    health_->Close();
    absl::SleepFor(absl::Milliseconds(config_.drain_delay_ms()));
  }
  // Without a delay in this order, so that whoever sees NOT_SERVING is refused.
  admission_.Close();
  health_->Close();
  if (!admission_.WaitUntilEmpty(absl::Milliseconds(config_.drain_timeout_ms()))) {
    LogWarning("drain timeout: cancelling what is left", {{"drain_timeout_ms", config_.drain_timeout_ms()}});
    admission_.Abandon();
    admission_.WaitUntilAnswered();
  }
  // Ends what is left on the connections: answers that nobody reads, and health watches, which never end by themselves.
  grpc_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  grpc_->Wait();
  lifecycle_.reset();  // with a change under way that nobody waits for
  health_.reset();
  grpc_.reset();
  metrics_page_.reset();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const v1::ServerConfig& config,
                                                      std::unique_ptr<ModelRegistry> models,
                                                      InferenceScheduler* scheduler, ModelLoading loading) {
  ASSIGN_OR_RETURN(Security security, OpenSecurity(config.has_tls() ? &config.tls() : nullptr, config.token_file()));
  std::unique_ptr<RefusedPictures> refused_pictures;
  if (!config.refused_dump_dir().empty()) {
    absl::StatusOr<std::unique_ptr<RefusedPictures>> opened = RefusedPictures::Open(
        config.refused_dump_dir(), config.refused_dump_max_bytes(), config.refused_dump_max_files());
    if (!opened.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("refused_dump_dir: ", opened.status().message()));
    }
    refused_pictures = *std::move(opened);
  }
  auto server = std::make_unique<ServerImpl>(config, std::move(security), std::move(models),
                                             std::move(refused_pictures), scheduler, std::move(loading));
  RETURN_IF_ERROR(server->StartMetrics());
  RETURN_IF_ERROR(server->StartGrpc());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace candor
