// SPDX-License-Identifier: Apache-2.0
//
// TLS and tokens as the configuration has them.
#include "server/security/security.h"

#include "core/base/status_macros.h"

namespace candor {

absl::StatusOr<Security> OpenSecurity(const v1::ServerConfig& config) {
  Security security;
  if (config.has_tls()) {
    ASSIGN_OR_RETURN(security.tls, TlsCredentials::Create(config.tls()));
  }
  ASSIGN_OR_RETURN(security.authorizer, Authorizer::Create(config.token_file()));
  return security;
}

}  // namespace candor
