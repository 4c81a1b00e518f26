// SPDX-License-Identifier: Apache-2.0
#include "server/health/port_probe.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "server/config.h"
#include "tests/server/live_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/test_certificates.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kUnavailable = absl::StatusCode::kUnavailable;

absl::Status Probe(const std::string& address, PortProtocol protocol, absl::Duration timeout = absl::Seconds(20)) {
  const auto parsed = ParseHostPort(address);
  EXPECT_THAT(parsed, IsOk());
  return ProbePort(parsed->host, parsed->port, protocol, timeout);
}

// A port that the system connects to, and that nobody accepts from: what is left of a server that stopped accepting.
class DeafPort {
 public:
  DeafPort() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~DeafPort() { close(fd_); }
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;

  const std::string& address() const { return address_; }

 private:
  const int fd_;
  std::string address_;
};

TEST(ProbePortTest, AServerInPlainTextAnswers) {
  const auto address = [](LiveServer* live) { return live->server().grpc_address(); };
  LiveServer live;
  EXPECT_THAT(Probe(address(&live), PortProtocol::kPlainText), IsOk());
  EXPECT_THAT(Probe(address(&live), PortProtocol::kTls, absl::Seconds(1)), HasStatus(kUnavailable, HasSubstr("")));
  LiveServer by_name([](v1::ServerConfig* config) { config->set_listen("localhost:0"); });
  EXPECT_THAT(Probe(address(&by_name), PortProtocol::kPlainText), IsOk());
}

TEST(ProbePortTest, ATlsServerAnswersEvenIfItWantsAClientCertificate) {
  const TemporaryFolder folder;
  const TestAuthority authority;
  const CertificateAndKey pair = authority.Issue("server");
  WriteContents(folder.File("server.pem"), pair.certificate);
  WriteContents(folder.File("server.key"), pair.key);
  WriteContents(folder.File("ca.pem"), authority.certificate());
  for (const bool wants_certificate : {false, true}) {
    LiveServer live([&](v1::ServerConfig* config) {
      config->mutable_tls()->set_certificate_file(folder.File("server.pem"));
      config->mutable_tls()->set_key_file(folder.File("server.key"));
      if (wants_certificate) config->mutable_tls()->set_client_ca_file(folder.File("ca.pem"));
    });
    EXPECT_THAT(Probe(live.server().grpc_address(), PortProtocol::kTls), IsOk());
    EXPECT_THAT(Probe(live.server().grpc_address(), PortProtocol::kPlainText), HasStatus(kUnavailable, HasSubstr("")));
  }
}

TEST(ProbePortTest, APortThatNobodyAcceptsFromTimesOut) {
  const DeafPort port;
  EXPECT_THAT(Probe(port.address(), PortProtocol::kPlainText, absl::Milliseconds(50)),
              HasStatus(kUnavailable, HasSubstr("timed out")));
  EXPECT_THAT(Probe(port.address(), PortProtocol::kTls, absl::Milliseconds(50)),
              HasStatus(kUnavailable, HasSubstr("timed out")));
}

TEST(ProbePortTest, AClosedPortIsRefusedAndAnotherProtocolIsNotHttp2) {
  std::string closed;
  {
    const DeafPort port;
    closed = port.address();
  }
  EXPECT_THAT(Probe(closed, PortProtocol::kPlainText), HasStatus(kUnavailable, StartsWith("connect: ")));
  LiveServer live;
  EXPECT_THAT(Probe(live.server().metrics_address(), PortProtocol::kPlainText, absl::Seconds(1)),
              HasStatus(kUnavailable, StartsWith("receive: ")));
}

}  // namespace
}  // namespace candor
