// SPDX-License-Identifier: Apache-2.0
//
// TLS for the gRPC port, from files that may change while it serves.
#pragma once

#include <grpc/grpc_security.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "candor/v1/config.pb.h"
#include "core/base/watched_files.h"
#include "security/tls_files.h"

namespace grpc {
class ServerCredentials;
}

namespace candor {

// A certificate with its key and the clients' authorities, read again at the first handshake after a change. A set that
// fails its check (half of it is written) is logged, and the one before stays in use. Thread-safe. Outlives the server.
//
// gRPC's own FileWatcherCertificateProvider will not do: it hands on whatever it finds, and gRPC 1.51 gives up the old
// certificate before it finds that the new pair does not match; from then on every handshake fails
// (TlsServerSecurityConnector::UpdateHandshakerFactoryLocked).
class TlsCredentials {
 public:
  // The errors of ReadTlsFiles.
  static absl::StatusOr<std::unique_ptr<TlsCredentials>> Create(const v1::TlsConfig& config);

  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;

  // For one server.
  std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials();

 private:
  TlsCredentials(const v1::TlsConfig& config, TlsFiles files);

  // gRPC's callback at each handshake; `self` is the object.
  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config);
  // True if there is a set that gRPC does not have yet.
  bool Refresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  grpc_ssl_server_certificate_config* MakeConfig() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const v1::TlsConfig config_;
  absl::Mutex mu_;
  WatchedFiles watched_ ABSL_GUARDED_BY(mu_);
  TlsFiles files_ ABSL_GUARDED_BY(mu_);
  bool is_handed_over_ ABSL_GUARDED_BY(mu_) = false;
  std::string refusal_ ABSL_GUARDED_BY(mu_);  // why the files on disk are not in use; empty if they are
};

}  // namespace candor
