// SPDX-License-Identifier: Apache-2.0
//
// X.509 by OpenSSL.
#include "tests/testing/test_certificates.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>

#include "gtest/gtest.h"

namespace candor {
namespace {

constexpr int kDaySeconds = 86'400;

std::string Contents(BIO* sink) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(sink, &data);  // NOLINT(google-runtime-int): OpenSSL's type
  std::string text(data, static_cast<size_t>(size));
  BIO_free(sink);
  return text;
}

std::string PemOf(X509* certificate) {
  BIO* sink = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(sink, certificate);
  return Contents(sink);
}

std::string PemOf(EVP_PKEY* key) {
  BIO* sink = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(sink, key, nullptr, nullptr, 0, nullptr, nullptr);
  return Contents(sink);
}

void AddExtension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  EXPECT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Unsigned, issued by nobody yet.
X509* NewCertificate(const std::string& name, EVP_PKEY* key, int days) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), (days < 0 ? days - 30 : -1) * kDaySeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), static_cast<int64_t>(days) * kDaySeconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate, key);
  return certificate;
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name)
    : key_(EVP_EC_gen("P-256")), certificate_(NewCertificate(name, key_, 365)) {
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  AddExtension(certificate_, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
  EXPECT_GT(X509_sign(certificate_, key_, EVP_sha256()), 0);
  pem_ = PemOf(certificate_);
}

TestAuthority::~TestAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

CertificateAndKey TestAuthority::Issue(const std::string& name, int days) const {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = NewCertificate(name, key, days);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
  AddExtension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
  EXPECT_GT(X509_sign(certificate, key_, EVP_sha256()), 0);
  CertificateAndKey issued{PemOf(certificate), PemOf(key)};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return issued;
}

}  // namespace candor
