// SPDX-License-Identifier: Apache-2.0
//
// gRPC's interface for certificates that change, with a check in front.
#include "security/tls_credentials.h"

#include <grpcpp/security/server_credentials.h>

#include <utility>

#include "absl/time/clock.h"
#include "core/base/log.h"
#include "core/base/pem.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

// The C++ interface has no way to the certificate callback, so the C credentials are wrapped here.
class CallbackCredentials final : public grpc::ServerCredentials {
 public:
  explicit CallbackCredentials(grpc_server_credentials* credentials) : credentials_(credentials) {}
  ~CallbackCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

grpc_ssl_client_certificate_request_type ClientCertificates(const v1::TlsConfig& config) {
  if (config.client_ca_file().empty()) return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
  return config.require_client_certificate() ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                             : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
}

void WarnIfExpired(const TlsFiles& files, const std::string& path) {
  const absl::StatusOr<absl::Time> expiry = CertificateExpiry(files.certificate);
  if (!expiry.ok() || *expiry > absl::Now()) return;
  LogWarning("the server's certificate has expired: clients will refuse it",
             {{"certificate_file", path}, {"expired", absl::FormatTime(*expiry, absl::UTCTimeZone())}});
}

}  // namespace

TlsCredentials::TlsCredentials(const v1::TlsConfig& config, TlsFiles files)
    : config_(config),
      watched_(config.client_ca_file().empty()
                   ? std::vector<std::string>{config.certificate_file(), config.key_file()}
                   : std::vector<std::string>{config.certificate_file(), config.key_file(), config.client_ca_file()}),
      files_(std::move(files)) {}

absl::StatusOr<std::unique_ptr<TlsCredentials>> TlsCredentials::Create(const v1::TlsConfig& config) {
  ASSIGN_OR_RETURN(TlsFiles files, ReadTlsFiles(config));
  WarnIfExpired(files, config.certificate_file());
  return std::unique_ptr<TlsCredentials>(new TlsCredentials(config, std::move(files)));
}

std::shared_ptr<grpc::ServerCredentials> TlsCredentials::MakeServerCredentials() {
  {
    absl::MutexLock lock(&mu_);
    is_handed_over_ = false;
  }
  grpc_ssl_server_credentials_options* options =
      grpc_ssl_server_credentials_create_options_using_config_fetcher(ClientCertificates(config_), &Fetch, this);
  return std::make_shared<CallbackCredentials>(grpc_ssl_server_credentials_create_with_options(options));
}

bool TlsCredentials::Refresh() {
  if (watched_.Changed()) {
    absl::StatusOr<TlsFiles> files = ReadTlsFiles(config_);
    const std::string refusal(files.status().message());
    if (!files.ok() && refusal != refusal_) {
      LogWarning("new certificate files refused, the old ones stay in use", {{"error", refusal}});
    }
    refusal_ = refusal;
    if (files.ok() && !(*files == files_)) {
      files_ = *std::move(files);
      is_handed_over_ = false;
      LogInfo("new certificate in use", {{"certificate_file", config_.certificate_file()}});
      WarnIfExpired(files_, config_.certificate_file());
    }
  }
  return !std::exchange(is_handed_over_, true);
}

grpc_ssl_server_certificate_config* TlsCredentials::MakeConfig() const {
  const grpc_ssl_pem_key_cert_pair pair = {files_.key.c_str(), files_.certificate.c_str()};
  // gRPC 1.51 aborts without authorities here. Where no client is asked for a certificate, none is verified by them.
  const std::string& authorities = files_.client_ca.empty() ? files_.certificate : files_.client_ca;
  return grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
}

grpc_ssl_certificate_config_reload_status TlsCredentials::Fetch(void* self,
                                                                grpc_ssl_server_certificate_config** config) {
  auto* const credentials = static_cast<TlsCredentials*>(self);
  absl::MutexLock lock(&credentials->mu_);
  if (!credentials->Refresh()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  *config = credentials->MakeConfig();
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace candor
