// SPDX-License-Identifier: Apache-2.0
//
// Certificates and tokens on gRPC's channels.
#include "client/client_security.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/client_interceptor.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/base/pem.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr int64_t kMaxFileBytes = 4 << 20;

absl::Status Named(const char* option, const absl::Status& status) {
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat(option, ": ", status.message()));
}

absl::StatusOr<std::string> ReadOption(const char* option, const std::string& path) {
  absl::StatusOr<std::string> contents = ReadFile(path, kMaxFileBytes);
  if (!contents.ok()) return Named(option, contents.status());
  return contents;
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string contents, ReadOption("token_file", path));
  const absl::string_view token = absl::StripAsciiWhitespace(contents);
  if (token.empty() || !std::all_of(token.begin(), token.end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError(absl::StrCat("token_file: ", path, " must hold one token and nothing else"));
  }
  return std::string(token);
}

// Whether each server in the list is this machine by its address.
bool IsLoopback(absl::string_view servers) {
  for (const absl::string_view server : absl::StrSplit(servers, ',')) {
    const absl::string_view host = server.substr(0, server.rfind(':'));
    const bool is_ipv4 =
        absl::StartsWith(host, "127.") && host.find_first_not_of("0123456789.") == absl::string_view::npos;
    if (!is_ipv4 && host != "localhost" && host != "[::1]" && !absl::StartsWith(server, "unix:")) return false;
  }
  return true;
}

absl::StatusOr<grpc::SslCredentialsOptions> ReadTls(const ClientOptions& options) {
  grpc::SslCredentialsOptions tls;
  ASSIGN_OR_RETURN(tls.pem_root_certs, ReadOption("tls_ca_file", options.tls_ca_file));
  const auto named = [](const char* option, const std::string& path, const absl::Status& status) {
    return status.ok() ? status : absl::InvalidArgumentError(absl::StrCat(option, ": ", path, " ", status.message()));
  };
  RETURN_IF_ERROR(named("tls_ca_file", options.tls_ca_file, CheckCertificates(tls.pem_root_certs)));
  if (options.tls_certificate_file.empty()) return tls;
  ASSIGN_OR_RETURN(tls.pem_cert_chain, ReadOption("tls_certificate_file", options.tls_certificate_file));
  RETURN_IF_ERROR(named("tls_certificate_file", options.tls_certificate_file, CheckCertificates(tls.pem_cert_chain)));
  ASSIGN_OR_RETURN(tls.pem_private_key, ReadOption("tls_key_file", options.tls_key_file));
  RETURN_IF_ERROR(
      named("tls_key_file", options.tls_key_file, CheckKeyMatches(tls.pem_cert_chain, tls.pem_private_key)));
  return tls;
}

// Puts the token on each call. gRPC's own call credentials refuse plain text, to this machine too.
class AddToken final : public grpc::experimental::Interceptor {
 public:
  explicit AddToken(TokenFile* token) : token_(token) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(grpc::experimental::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace("authorization", absl::StrCat("Bearer ", token_->Current()));
    }
    methods->Proceed();
  }

 private:
  TokenFile* const token_;
};

class AddTokenFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit AddTokenFactory(std::shared_ptr<TokenFile> token) : token_(std::move(token)) {}

  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo* /*info*/) override {
    return new AddToken(token_.get());
  }

 private:
  const std::shared_ptr<TokenFile> token_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TokenFile>> TokenFile::Open(const std::string& path) {
  std::unique_ptr<TokenFile> file(new TokenFile(path));
  absl::MutexLock lock(&file->mu_);
  file->watched_.Changed();
  ASSIGN_OR_RETURN(file->token_, ReadToken(path));
  return file;
}

std::string TokenFile::Current() {
  absl::MutexLock lock(&mu_);
  if (watched_.Changed()) {
    absl::StatusOr<std::string> token = ReadToken(path_);
    if (token.ok()) token_ = *std::move(token);
  }
  return token_;
}

absl::StatusOr<ClientSecurity> ClientSecurity::Read(const ClientOptions& options) {
  ClientSecurity security;
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
    return absl::InvalidArgumentError("tls_certificate_file, tls_key_file: one needs the other");
  }
  const bool has_tls = !options.tls_ca_file.empty();
  if (!has_tls && !(options.tls_certificate_file.empty() && options.tls_server_name.empty())) {
    return absl::InvalidArgumentError("tls_certificate_file, tls_server_name: need tls_ca_file");
  }
  security.server_name_ = options.tls_server_name;
  security.credentials_ = grpc::InsecureChannelCredentials();
  if (has_tls) {
    ASSIGN_OR_RETURN(const grpc::SslCredentialsOptions tls, ReadTls(options));
    security.credentials_ = grpc::SslCredentials(tls);
  }
  if (options.token_file.empty()) return security;
  if (!has_tls && !IsLoopback(options.server)) {
    return absl::InvalidArgumentError(
        absl::StrCat("token_file: needs tls_ca_file, since ", options.server, " is not a loopback address"));
  }
  ASSIGN_OR_RETURN(security.token_, TokenFile::Open(options.token_file));
  return security;
}

std::shared_ptr<grpc::Channel> ClientSecurity::OpenChannel(const std::string& target,
                                                           grpc::ChannelArguments arguments) const {
  if (!server_name_.empty()) arguments.SetSslTargetNameOverride(server_name_);
  if (token_ == nullptr) return grpc::CreateCustomChannel(target, credentials_, arguments);
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<AddTokenFactory>(token_));
  return grpc::experimental::CreateCustomChannelWithInterceptors(target, credentials_, arguments,
                                                                 std::move(interceptors));
}

}  // namespace candor
