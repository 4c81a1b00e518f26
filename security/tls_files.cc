// SPDX-License-Identifier: Apache-2.0
//
// A certificate, its key and the clients' authorities, checked as a set.
#include "security/tls_files.h"

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/pem.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr int64_t kMaxFileBytes = 4 << 20;

absl::Status Named(const char* field, const absl::Status& status) {
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat("tls.", field, ": ", status.message()));
}

absl::Status Named(const char* field, const std::string& path, const absl::Status& status) {
  return status.ok() ? status
                     : absl::Status(status.code(), absl::StrCat("tls.", field, ": ", path, " ", status.message()));
}

absl::StatusOr<std::string> Read(const char* field, const std::string& path) {
  absl::StatusOr<std::string> contents = ReadFile(path, kMaxFileBytes);
  if (!contents.ok()) return Named(field, contents.status());
  return contents;
}

}  // namespace

absl::StatusOr<TlsFiles> ReadTlsFiles(const v1::TlsConfig& config) {
  TlsFiles files;
  ASSIGN_OR_RETURN(files.certificate, Read("certificate_file", config.certificate_file()));
  RETURN_IF_ERROR(Named("certificate_file", config.certificate_file(), CheckCertificates(files.certificate)));
  ASSIGN_OR_RETURN(files.key, Read("key_file", config.key_file()));
  RETURN_IF_ERROR(Named("key_file", config.key_file(), CheckKeyMatches(files.certificate, files.key)));
  if (!config.client_ca_file().empty()) {
    ASSIGN_OR_RETURN(files.client_ca, Read("client_ca_file", config.client_ca_file()));
    RETURN_IF_ERROR(Named("client_ca_file", config.client_ca_file(), CheckCertificates(files.client_ca)));
  }
  return files;
}

}  // namespace candor
