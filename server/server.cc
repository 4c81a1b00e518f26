// SPDX-License-Identifier: Apache-2.0
//
// Wires the parts of the server.
#include "server/server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/build_info.h"
#include "server/config.h"
#include "server/metrics/metrics.h"
#include "server/metrics/metrics_page.h"
#include "server/metrics/process_metrics.h"
#include "server/security/security.h"
#include "server/segmentation_service.h"

namespace candor {
namespace {

constexpr char kServiceName[] = "candor.v1.Segmentation";
// A connection that asks for more waits on the client's side; Envoy's edge guide takes 100.
constexpr int kMaxConcurrentStreams = 128;

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

void SetGrpcArguments(grpc::ServerBuilder* builder) {
  // On by default: a second server on the same port would start happily and take half the connections.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10000);
  // Dead peers are found within 80 s; our client pings every 60 s, above the 30 s allowed here.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30000);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  // A compressed message is inflated without bound before its size is checked.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder->SetMaxSendMessageSize(-1);
}

std::vector<ModelMetricsInfo> MetricsInfos(const ModelRegistry& models) {
  std::vector<ModelMetricsInfo> result;
  for (const LoadedModel& model : models.models()) {
    const ModelInfo& info = model.segmenter->info();
    ModelMetricsInfo metrics{info.name, info.version, model.load_seconds, info.spec.default_kind(), {}, false};
    for (const ClassSpec& spec : info.spec.classes) metrics.class_names.push_back(spec.name);
    metrics.gives_verdicts = info.spec.calibration.has_value() && info.spec.calibration->verdict.has_value();
    result.push_back(std::move(metrics));
  }
  return result;
}

class ServerImpl : public Server {
 public:
  ServerImpl(const v1::ServerConfig& config, Security security, std::unique_ptr<ModelRegistry> models,
             InferenceExecutor* executor)
      : config_(config),
        security_(std::move(security)),
        models_(std::move(models)),
        metrics_(BuildVersion(), BuildGit(), MetricsInfos(*models_)),
        process_metrics_(std::make_shared<ProcessMetrics>()),
        admission_(config.max_pending_requests()),
        workers_(config.threads()),
        service_(ServingContext{*models_, *executor, workers_, admission_, metrics_, DecodeLimits{config.max_pixels()},
                                config.uncertainty_threshold()},
                 security_.authorizer.get()) {}

  ~ServerImpl() override { ServerImpl::Drain(); }

  absl::Status StartMetrics();
  absl::Status StartGrpc();

  const std::string& grpc_address() const override { return grpc_address_; }
  const std::string& metrics_address() const override { return metrics_address_; }
  void Drain() override;

 private:
  const v1::ServerConfig config_;
  const Security security_;
  const std::unique_ptr<ModelRegistry> models_;
  Metrics metrics_;
  const std::shared_ptr<ProcessMetrics> process_metrics_;
  Admission admission_;
  WorkerPool workers_;
  SegmentationService service_;
  std::unique_ptr<MetricsPage> metrics_page_;
  std::unique_ptr<grpc::Server> grpc_;
  std::string grpc_address_;
  std::string metrics_address_ = kMetricsOff;
};

absl::Status ServerImpl::StartMetrics() {
  if (config_.metrics_listen() == kMetricsOff) return absl::OkStatus();
  ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(config_.metrics_listen()));
  absl::StatusOr<std::unique_ptr<MetricsPage>> page =
      MetricsPage::Open(address.host, address.port, {metrics_.registry(), process_metrics_});
  if (!page.ok()) return absl::UnavailableError(absl::StrCat("metrics_listen: ", page.status().message()));
  metrics_page_ = *std::move(page);
  metrics_address_ = absl::StrCat(address.host, ":", metrics_page_->port());
  return absl::OkStatus();
}

absl::Status ServerImpl::StartGrpc() {
  gpr_set_log_function(LogFromGrpc);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();  // keeps the linker from dropping the library
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetGrpcArguments(&builder);
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
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("listen: cannot listen on ", config_.listen(),
                                               ": the port is taken, or the host is not of this machine"));
  }
  ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(config_.listen()));
  grpc_address_ = absl::StrCat(address.host, ":", port);
  grpc::HealthCheckServiceInterface* health = grpc_->GetHealthCheckService();
  health->SetServingStatus(kServiceName, true);
  for (const LoadedModel& model : models_->models()) {
    health->SetServingStatus(model.segmenter->info().name, true);
    for (const std::string& alias : model.aliases) health->SetServingStatus(alias, true);
  }
  return absl::OkStatus();
}

void ServerImpl::Drain() {
  if (grpc_ == nullptr) return;
  // In this order, whoever sees NOT_SERVING is refused.
  admission_.Close();
  grpc_->GetHealthCheckService()->Shutdown();
  if (!admission_.WaitUntilEmpty(absl::Milliseconds(config_.drain_timeout_ms()))) {
    LogWarning("drain timeout: cancelling what is left", {{"drain_timeout_ms", config_.drain_timeout_ms()}});
    admission_.Abandon();
    admission_.WaitUntilAnswered();
  }
  // Ends what is left on the connections: answers that nobody reads, and health watches, which never end by themselves.
  grpc_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  grpc_->Wait();
  grpc_.reset();
  metrics_page_.reset();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const v1::ServerConfig& config,
                                                      std::unique_ptr<ModelRegistry> models,
                                                      InferenceExecutor* executor) {
  ASSIGN_OR_RETURN(Security security, OpenSecurity(config));
  auto server = std::make_unique<ServerImpl>(config, std::move(security), std::move(models), executor);
  RETURN_IF_ERROR(server->StartMetrics());
  RETURN_IF_ERROR(server->StartGrpc());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace candor
