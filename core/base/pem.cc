// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL behind absl::Status.
#include "core/base/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "core/base/status_macros.h"

namespace candor {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Bio Source(absl::string_view pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

// Without it OpenSSL asks for the passphrase of an encrypted key on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*is_writing*/, void* /*user*/) { return -1; }

absl::StatusOr<Certificate> NextCertificate(BIO* source) {
  Certificate certificate(PEM_read_bio_X509(source, nullptr, NoPassphrase, nullptr));
  if (certificate != nullptr) return certificate;
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (is_end) return absl::InvalidArgumentError("has no certificate in PEM");
  return absl::InvalidArgumentError("has a certificate that cannot be read");
}

}  // namespace

absl::Status CheckCertificates(absl::string_view pem) {
  const Bio source = Source(pem);
  RETURN_IF_ERROR(NextCertificate(source.get()).status());
  for (;;) {
    if (BIO_pending(source.get()) == 0) return absl::OkStatus();
    const absl::StatusOr<Certificate> next = NextCertificate(source.get());
    // What follows the last certificate (blank lines, comments, the key) is not ours to judge.
    if (!next.ok()) return BIO_pending(source.get()) == 0 ? absl::OkStatus() : next.status();
  }
}

absl::StatusOr<absl::Time> CertificateExpiry(absl::string_view pem) {
  const Bio source = Source(pem);
  ASSIGN_OR_RETURN(const Certificate certificate, NextCertificate(source.get()));
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    return absl::InvalidArgumentError("has a certificate without a readable end");
  }
  return absl::FromTM(end, absl::UTCTimeZone());
}

absl::Status CheckKeyMatches(absl::string_view certificate_pem, absl::string_view key_pem) {
  const Bio certificate_source = Source(certificate_pem);
  ASSIGN_OR_RETURN(const Certificate certificate, NextCertificate(certificate_source.get()));
  const Bio key_source = Source(key_pem);
  const Key key(PEM_read_bio_PrivateKey(key_source.get(), nullptr, NoPassphrase, nullptr));
  const bool matches = key != nullptr && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (key == nullptr) return absl::InvalidArgumentError("has no unencrypted private key in PEM");
  return matches ? absl::OkStatus() : absl::InvalidArgumentError("is not the key of the certificate");
}

}  // namespace candor
