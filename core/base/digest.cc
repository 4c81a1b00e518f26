// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 by OpenSSL.
#include "core/base/digest.h"

#include <openssl/evp.h>

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "core/base/log.h"

namespace candor {

std::string Sha256Hex(absl::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    // Only an OpenSSL without SHA-256 gets here, and then no bundle can be verified.
    LogError("OpenSSL offers no SHA-256");
    std::abort();
  }
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
}

}  // namespace candor
