// SPDX-License-Identifier: Apache-2.0
//
// Certificates and private keys in PEM: what has to be known of them before a TLS library gets them.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace candor {

// OK if `pem` is one or more certificates. InvalidArgument: none, or one that cannot be read.
absl::Status CheckCertificates(absl::string_view pem);

// When the first certificate in `pem` ends to be valid. InvalidArgument: not a certificate.
absl::StatusOr<absl::Time> CertificateExpiry(absl::string_view pem);

// OK if `key_pem` is the unencrypted private key of the first certificate in `certificate_pem`. InvalidArgument
// otherwise; the message never has anything of the key in it.
absl::Status CheckKeyMatches(absl::string_view certificate_pem, absl::string_view key_pem);

}  // namespace candor
