// SPDX-License-Identifier: Apache-2.0
//
// Peers that connect and say nothing, one by one and in floods.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "server/config.h"
#include "tests/server/faults/secure_client.h"
#include "tests/server/live_server.h"
#include "tests/testing/sanitized.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/subprocess.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

// Connections to an address, open until the object goes.
class IdlePeers {
 public:
  IdlePeers(const std::string& address, int count) {
    const auto parsed = ParseHostPort(address);
    EXPECT_THAT(parsed, IsOk());
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    target.sin_port = htons(static_cast<uint16_t>(parsed->port));
    for (int i = 0; i < count; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof(target)) != 0) ADD_FAILURE() << "connect";
      sockets_.push_back(fd);
    }
  }
  ~IdlePeers() {
    for (const int fd : sockets_) close(fd);
  }
  IdlePeers(const IdlePeers&) = delete;
  IdlePeers& operator=(const IdlePeers&) = delete;

  // Reads what the server says on the first connection until it closes it.
  void WaitUntilClosed() const {
    char buffer[256];
    while (read(sockets_.front(), buffer, sizeof(buffer)) > 0) {
    }
  }

 private:
  std::vector<int> sockets_;
};

TEST(ConnectionFaultsTest, ASilentPeerIsClosedAtTheHandshakeTimeout) {
  LiveServer live([](v1::ServerConfig* config) { config->set_handshake_timeout_ms(300); });
  const auto start = steady_clock::now();
  const IdlePeers peer(live.server().grpc_address(), 1);
  peer.WaitUntilClosed();
  const auto took = steady_clock::now() - start;
  EXPECT_GE(took, std::chrono::milliseconds(290));
  EXPECT_LT(took, std::chrono::seconds(9)) << "which is less than the default";
  EXPECT_TRUE(CallHealth(live.channel()).ok());
}

TEST(ConnectionFaultsTest, ManySilentPeersDoNotDelayOthers) {
  LiveServer live;
  const IdlePeers peers(live.server().grpc_address(), 300);
  EXPECT_TRUE(CallHealth(OpenChannel(live.server().grpc_address())).ok());
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

// UBSan opens a pipe to look at a vtable pointer, and reports a bad one where there is no descriptor left.
constexpr char kProbing[] = "self_probe_interval_ms: 200 self_probe_failures: 3";
constexpr char kWhyNot[] = "the sanitizer needs descriptors itself";

// gRPC 1.51 stops accepting for good once accept(2) has failed for want of a descriptor (CVE-2023-4785); a newer one
// goes on. Either the server answers after the flood, or its process has ended with a code that has it started again.
TEST(ConnectionFaultsTest, AfterAFloodBeyondTheDescriptorLimitTheServerAnswersOrItsProcessEnds) {
  if (kIsSanitized) GTEST_SKIP() << kWhyNot;
  Subprocess server({CANDOR_FAULT_SERVER, kProbing, "40"});
  const std::string address = server.ReadLine();
  ASSERT_TRUE(CallHealth(OpenChannel(address)).ok());
  { const IdlePeers flood(address, 200); }
  // A call waits in the backlog of a server that no longer accepts, and fails when its process ends.
  if (CallHealth(OpenChannel(address)).ok()) return;
  EXPECT_EQ(server.Wait().exit_code, 70);
}

TEST(ConnectionFaultsTest, WhileAFloodHoldsAllDescriptorsTheProcessEnds) {
  if (kIsSanitized) GTEST_SKIP() << kWhyNot;
  Subprocess server({CANDOR_FAULT_SERVER, kProbing, "40"});
  const IdlePeers flood(server.ReadLine(), 200);
  EXPECT_EQ(server.Wait().exit_code, 70);
}

}  // namespace
}  // namespace candor
