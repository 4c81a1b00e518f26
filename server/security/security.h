// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "candor/v1/config.pb.h"
#include "server/security/authorizer.h"
#include "server/security/tls_credentials.h"

namespace candor {

// What guards the gRPC port.
struct Security {
  std::unique_ptr<TlsCredentials> tls;  // null: plain text
  std::unique_ptr<Authorizer> authorizer;
};

// Reads and checks all files that `config` names for it. InvalidArgument or NotFound, naming field and file.
absl::StatusOr<Security> OpenSecurity(const v1::ServerConfig& config);

}  // namespace candor
