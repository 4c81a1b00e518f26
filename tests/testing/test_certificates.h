// SPDX-License-Identifier: Apache-2.0
//
// Certificates for tests, made on the spot: none in the tree, none that expires there.
#pragma once

#include <openssl/types.h>

#include <string>

namespace candor {

struct CertificateAndKey {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

// An authority that signs certificates, valid from yesterday on. Keys are of the curve P-256.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test authority");
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  // The authority's own certificate.
  const std::string& certificate() const { return pem_; }
  // A certificate of `name` for the hosts localhost, 127.0.0.1 and ::1 that ends `days` days from now (negative:
  // ended).
  CertificateAndKey Issue(const std::string& name, int days = 30) const;

 private:
  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
  std::string pem_;
};

}  // namespace candor
