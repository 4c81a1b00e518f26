// SPDX-License-Identifier: Apache-2.0
#include "security/tls_files.h"

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/test_certificates.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

class TlsFilesTest : public testing::Test {
 protected:
  TlsFilesTest() {
    const CertificateAndKey server = authority_.Issue("server");
    WriteContents(folder_.File("server.pem"), server.certificate);
    WriteContents(folder_.File("server.key"), server.key);
    WriteContents(folder_.File("ca.pem"), authority_.certificate());
    config_.set_certificate_file(folder_.File("server.pem"));
    config_.set_key_file(folder_.File("server.key"));
    config_.set_client_ca_file(folder_.File("ca.pem"));
  }

  const TemporaryFolder folder_;
  const TestAuthority authority_;
  v1::TlsConfig config_;
};

TEST_F(TlsFilesTest, ReadsAWholeSet) {
  const auto files = ReadTlsFiles(config_);
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->certificate, Contents(config_.certificate_file()));
  EXPECT_EQ(files->key, Contents(config_.key_file()));
  EXPECT_EQ(files->client_ca, authority_.certificate());
}

TEST_F(TlsFilesTest, NamesFieldFileAndRuleOfWhatIsWrong) {
  WriteContents(folder_.File("other.key"), authority_.Issue("other").key);
  config_.set_key_file(folder_.File("other.key"));
  EXPECT_THAT(ReadTlsFiles(config_),
              HasStatus(kInvalid, AllOf(StartsWith("tls.key_file: "), HasSubstr("other.key is not the key"))));
  config_.set_key_file(folder_.File("none.key"));
  EXPECT_THAT(ReadTlsFiles(config_),
              HasStatus(absl::StatusCode::kNotFound, AllOf(StartsWith("tls.key_file: "), HasSubstr("none.key"))));
  config_.set_key_file(folder_.File("server.key"));
  WriteContents(folder_.File("ca.pem"), "");
  EXPECT_THAT(ReadTlsFiles(config_), HasStatus(kInvalid, StartsWith("tls.client_ca_file: ")));
  WriteContents(folder_.File("server.pem"), "");
  EXPECT_THAT(ReadTlsFiles(config_), HasStatus(kInvalid, StartsWith("tls.certificate_file: ")));
}

TEST_F(TlsFilesTest, AnExpiredCertificateIsForTheClientsToJudge) {
  const CertificateAndKey expired = authority_.Issue("server", -1);
  WriteContents(folder_.File("server.pem"), expired.certificate);
  WriteContents(folder_.File("server.key"), expired.key);
  EXPECT_THAT(ReadTlsFiles(config_), IsOk());
}

}  // namespace
}  // namespace candor
