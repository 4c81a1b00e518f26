// SPDX-License-Identifier: Apache-2.0
//
// TLS and tokens of one port.
#include "security/security.h"

#include "core/base/status_macros.h"

namespace candor {

absl::StatusOr<Security> OpenSecurity(const v1::TlsConfig* tls, const std::string& token_file) {
  Security security;
  if (tls != nullptr) {
    ASSIGN_OR_RETURN(security.tls, TlsCredentials::Create(*tls));
  }
  ASSIGN_OR_RETURN(security.authorizer, Authorizer::Create(token_file));
  return security;
}

}  // namespace candor
