// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/service_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "prometheus/exposer.h"
#include "trainer/service/service_metrics.h"
#include "trainer/service/training_service.h"

namespace candor {
namespace {

constexpr char kServiceName[] = "candor.v1.Training";
constexpr int kMostThreads = 64;           // calls at once, watching ones included
constexpr int kMostMessage = 1 << 20;      // a configuration has a few hundred bytes
constexpr std::chrono::seconds kGrace{2};  // for open calls at the end

// gRPC's own errors as our log lines.
void LogFromGrpc(gpr_log_func_args* args) {
  if (args->severity == GPR_LOG_SEVERITY_ERROR) LogDebug("gRPC", {{"message", args->message}});
}

// ADDRESS with its port replaced.
std::string WithPort(const std::string& address, int port) {
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

class GrpcServiceServer : public ServiceServer {
 public:
  GrpcServiceServer(const ServiceServerOptions& options, Security security, TrainingRuns* runs)
      : security_(std::move(security)),
        service_(runs, options.model_repository, security_.authorizer.get()),
        metrics_(std::make_shared<ServiceMetrics>(runs)) {}
  ~GrpcServiceServer() override {
    service_.Close();
    if (server_ == nullptr) return;
    server_->GetHealthCheckService()->Shutdown();
    server_->Shutdown(std::chrono::system_clock::now() + kGrace);
  }

  absl::Status Open(const ServiceServerOptions& options) {
    grpc::ServerBuilder builder;
    // On by default: a second service on the same port would start happily and take half the connections.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(kMostMessage);
    builder.SetResourceQuota(grpc::ResourceQuota("calls").SetMaxThreads(kMostThreads));
    int port = 0;
    builder.AddListeningPort(
        options.listen,
        security_.tls == nullptr ? grpc::InsecureServerCredentials() : security_.tls->MakeServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return absl::UnavailableError(absl::StrCat("--listen: cannot listen on ", options.listen));
    }
    server_->GetHealthCheckService()->SetServingStatus(kServiceName, true);
    grpc_address_ = WithPort(options.listen, port);
    return OpenMetrics(options.metrics_listen);
  }

  const std::string& grpc_address() const override { return grpc_address_; }
  const std::string& metrics_address() const override { return metrics_address_; }

 private:
  absl::Status OpenMetrics(const std::string& address) {
    if (address == "off") return absl::OkStatus();
    try {
      exposer_ = std::make_unique<prometheus::Exposer>(address);
    } catch (const std::exception&) {  // its text says "null context", and no more
      return absl::UnavailableError(absl::StrCat("--metrics-listen: cannot listen on ", address));
    }
    exposer_->RegisterCollectable(metrics_);
    metrics_address_ = WithPort(address, exposer_->GetListeningPorts().at(0));
    return absl::OkStatus();
  }

  const Security security_;  // outlives the server
  TrainingService service_;
  const std::shared_ptr<ServiceMetrics> metrics_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<prometheus::Exposer> exposer_;
  std::string grpc_address_;
  std::string metrics_address_ = "off";
};

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceServer>> ServiceServer::Start(const ServiceServerOptions& options,
                                                                    Security security, TrainingRuns* runs) {
  gpr_set_log_function(LogFromGrpc);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto server = std::make_unique<GrpcServiceServer>(options, std::move(security), runs);
  RETURN_IF_ERROR(server->Open(options));
  return server;
}

}  // namespace candor
