// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "candor/v1/config.pb.h"
#include "security/authorizer.h"
#include "security/tls_credentials.h"

namespace candor {

// What guards a gRPC port.
struct Security {
  std::unique_ptr<TlsCredentials> tls;  // null: plain text
  std::unique_ptr<Authorizer> authorizer;
};

// Reads and checks all files that are named for it; `tls` is null for plain text, `token_file` empty for no tokens.
// InvalidArgument or NotFound, naming field and file.
absl::StatusOr<Security> OpenSecurity(const v1::TlsConfig* tls, const std::string& token_file);

}  // namespace candor
