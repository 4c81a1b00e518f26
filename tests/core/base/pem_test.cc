// SPDX-License-Identifier: Apache-2.0
#include "core/base/pem.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/test_certificates.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(PemTest, AcceptsAChainAndWhatSurroundsIt) {
  const TestAuthority authority;
  const CertificateAndKey server = authority.Issue("server");
  EXPECT_THAT(CheckCertificates(server.certificate), IsOk());
  EXPECT_THAT(CheckCertificates(absl::StrCat("a comment\n", server.certificate, authority.certificate(), "\n\n")),
              IsOk());
}

TEST(PemTest, RefusesWhatIsNoCertificate) {
  const TestAuthority authority;
  const CertificateAndKey server = authority.Issue("server");
  const std::string half = server.certificate.substr(0, server.certificate.size() / 2);
  for (const std::string& text : {std::string(), std::string("hello"), server.key, half}) {
    EXPECT_THAT(CheckCertificates(text), HasStatus(kInvalid, HasSubstr("certificate"))) << text;
  }
  std::string damaged = server.certificate;
  damaged.replace(60, 4, "AAAA");
  EXPECT_THAT(CheckCertificates(damaged), HasStatus(kInvalid, HasSubstr("cannot be read")));
}

TEST(PemTest, AKeyMatchesItsOwnCertificateOnly) {
  const TestAuthority authority;
  const CertificateAndKey one = authority.Issue("one");
  const CertificateAndKey two = authority.Issue("two");
  EXPECT_THAT(CheckKeyMatches(one.certificate, one.key), IsOk());
  EXPECT_THAT(CheckKeyMatches(one.certificate, two.key), HasStatus(kInvalid, HasSubstr("not the key")));
  EXPECT_THAT(CheckKeyMatches(one.certificate, "nothing"), HasStatus(kInvalid, HasSubstr("no unencrypted private")));
}

TEST(PemTest, AnEncryptedKeyIsRefusedWithoutAskingForItsPassphrase) {
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHjME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAiHjAzPC1MrPwICCAAw\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  EXPECT_THAT(CheckKeyMatches(TestAuthority().Issue("one").certificate, encrypted), Not(IsOk()));
}

TEST(PemTest, KnowsWhenACertificateEnds) {
  const TestAuthority authority;
  const absl::StatusOr<absl::Time> later = CertificateExpiry(authority.Issue("later", 10).certificate);
  ASSERT_THAT(later, IsOk());
  EXPECT_LT(absl::AbsDuration(*later - (absl::Now() + absl::Hours(240))), absl::Minutes(10));
  const absl::StatusOr<absl::Time> past = CertificateExpiry(authority.Issue("past", -1).certificate);
  ASSERT_THAT(past, IsOk());
  EXPECT_LT(*past, absl::Now());
}

}  // namespace
}  // namespace candor
