// SPDX-License-Identifier: Apache-2.0
//
// What wrong, missing, ended and half-replaced certificates do to a server.
#include <filesystem>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "tests/server/faults/secure_client.h"
#include "tests/server/live_server.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using grpc::StatusCode;

class CertificateFaultsTest : public testing::Test {
 protected:
  CertificateFaultsTest() {
    Write("server", authority_.Issue("server"));
    WriteContents(folder_.File("clients.pem"), clients_.certificate());
  }

  void Write(const std::string& name, const CertificateAndKey& pair) const {
    WriteContents(folder_.File(name + ".pem"), pair.certificate);
    WriteContents(folder_.File(name + ".key"), pair.key);
  }

  void Start(bool asks_clients = false, bool requires_clients = true) {
    live_ = std::make_unique<LiveServer>([&](v1::ServerConfig* config) {
      config->mutable_tls()->set_certificate_file(folder_.File("server.pem"));
      config->mutable_tls()->set_key_file(folder_.File("server.key"));
      if (!asks_clients) return;
      config->mutable_tls()->set_client_ca_file(folder_.File("clients.pem"));
      config->mutable_tls()->set_require_client_certificate(requires_clients);
    });
  }

  // A call over a new connection that trusts `authority`.
  grpc::Status Call(const TestAuthority& authority, const CertificateAndKey* own = nullptr) const {
    return CallListModels(OpenChannel(live_->server().grpc_address(), authority.certificate(), own));
  }

  const TemporaryFolder folder_;
  const TestAuthority authority_{"servers"};
  const TestAuthority clients_{"clients"};
  std::unique_ptr<LiveServer> live_;
};

TEST_F(CertificateFaultsTest, AClientThatTrustsTheAuthorityIsServed) {
  Start();
  EXPECT_TRUE(Call(authority_).ok());
}

TEST_F(CertificateFaultsTest, AClientThatTrustsAnotherAuthorityRefuses) {
  Start();
  EXPECT_EQ(Call(clients_).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(CertificateFaultsTest, PlainTextIsRefused) {
  Start();
  EXPECT_EQ(CallListModels(OpenChannel(live_->server().grpc_address())).error_code(), StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Call(authority_).ok()) << "others are served on";
}

TEST_F(CertificateFaultsTest, AnExpiredServerCertificateIsRefusedByClients) {
  Write("server", authority_.Issue("server", -1));
  Start();
  EXPECT_EQ(Call(authority_).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(CertificateFaultsTest, ARequiredClientCertificateMustBeShownValidAndOfTheRightAuthority) {
  Start(true);
  const CertificateAndKey good = clients_.Issue("robot");
  const CertificateAndKey expired = clients_.Issue("robot", -1);
  const CertificateAndKey foreign = authority_.Issue("robot");
  EXPECT_TRUE(Call(authority_, &good).ok());
  EXPECT_EQ(Call(authority_).error_code(), StatusCode::UNAVAILABLE) << "no certificate";
  EXPECT_EQ(Call(authority_, &expired).error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(authority_, &foreign).error_code(), StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Call(authority_, &good).ok());
}

TEST_F(CertificateFaultsTest, AnOptionalClientCertificateIsStillVerified) {
  Start(true, false);
  const CertificateAndKey good = clients_.Issue("robot");
  const CertificateAndKey foreign = authority_.Issue("robot");
  EXPECT_TRUE(Call(authority_).ok());
  EXPECT_TRUE(Call(authority_, &good).ok());
  EXPECT_EQ(Call(authority_, &foreign).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(CertificateFaultsTest, AHalfWrittenPairKeepsTheOldOneServingUntilTheNewOneIsWhole) {
  Start();
  ASSERT_TRUE(Call(authority_).ok());
  const TestAuthority successor("successor");
  const CertificateAndKey next = successor.Issue("server");
  WriteContents(folder_.File("server.key"), next.key);
  EXPECT_TRUE(Call(authority_).ok()) << "new key, old certificate";
  WriteContents(folder_.File("server.pem"), next.certificate.substr(0, next.certificate.size() / 2));
  EXPECT_TRUE(Call(authority_).ok()) << "new key, half of the certificate";
  std::filesystem::remove(folder_.File("server.pem"));
  EXPECT_TRUE(Call(authority_).ok()) << "no certificate at all";
  WriteContents(folder_.File("server.pem"), next.certificate);
  EXPECT_TRUE(Call(successor).ok()) << "the new pair is in use at the next handshake";
  EXPECT_EQ(Call(authority_).error_code(), StatusCode::UNAVAILABLE) << "and the old one is not";
}

TEST_F(CertificateFaultsTest, ASwappedFolderIsPickedUpWhileConnectionsGoOn) {
  const TestAuthority successor("successor");
  for (const auto& [name, authority] : {std::pair{"old", &authority_}, std::pair{"new", &successor}}) {
    std::filesystem::create_directory(folder_.File(name));
    Write(std::string(name) + "/server", authority->Issue("server"));
  }
  std::filesystem::create_symlink("old", folder_.File("current"));
  LiveServer live([&](v1::ServerConfig* config) {
    config->mutable_tls()->set_certificate_file(folder_.File("current/server.pem"));
    config->mutable_tls()->set_key_file(folder_.File("current/server.key"));
  });
  const auto before = OpenChannel(live.server().grpc_address(), authority_.certificate());
  ASSERT_TRUE(CallListModels(before).ok());
  std::filesystem::create_symlink("new", folder_.File("next"));
  std::filesystem::rename(folder_.File("next"), folder_.File("current"));
  EXPECT_TRUE(CallListModels(OpenChannel(live.server().grpc_address(), successor.certificate())).ok());
  EXPECT_TRUE(CallListModels(before).ok()) << "an open connection keeps what it was made with";
}

TEST_F(CertificateFaultsTest, AnotherClientAuthorityIsPickedUpToo) {
  Start(true);
  const TestAuthority others("others");
  const CertificateAndKey robot = others.Issue("robot");
  EXPECT_EQ(Call(authority_, &robot).error_code(), StatusCode::UNAVAILABLE);
  WriteContents(folder_.File("clients.pem"), clients_.certificate() + others.certificate());
  EXPECT_TRUE(Call(authority_, &robot).ok());
}

}  // namespace
}  // namespace candor
