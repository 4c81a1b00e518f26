// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "candor/v1/config.pb.h"

namespace candor {

// The contents of the files of a TlsConfig, which belong together.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;  // empty: none

  bool operator==(const TlsFiles& other) const {
    return certificate == other.certificate && key == other.key && client_ca == other.client_ca;
  }
};

// Reads and checks the set. InvalidArgument or NotFound, naming field and file: one cannot be read, is not PEM, or the
// key is not the certificate's. An expired certificate is none of these: the clients' clocks decide.
absl::StatusOr<TlsFiles> ReadTlsFiles(const v1::TlsConfig& config);

}  // namespace candor
