// SPDX-License-Identifier: Apache-2.0
//
// Peers that send or read too slowly, or have gone without a word. They are ended within the limits of the
// configuration, and until then nobody else waits for them.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "tests/server/faults/raw_peer.h"
#include "tests/server/faults/secure_client.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

// Sends byte after byte, one each 20 ms, until the server closes the connection. Returns how many it sent.
size_t Trickle(const RawPeer& peer, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size() && !peer.IsClosedWithin(20) && peer.Send(bytes.substr(sent, 1))) ++sent;
  return sent;
}

void LimitConnections(v1::ServerConfig* config) {
  config->set_max_connection_age_ms(300);
  config->set_max_connection_age_grace_ms(200);
}

// A few hundred bytes, since a raw peer knows no flow control, of 512 x 512 pixels: the answer has a map of 1 MiB.
v1::SegmentRequest RequestOfLargeAnswer() {
  constexpr int kSide = 512;
  const Image image{kSide, kSide, std::vector<uint8_t>(size_t{3} * kSide * kSide, 1)};
  v1::SegmentRequest request = EncodedRequest(EncodeRgbPng(image));
  request.add_uncertainty()->set_encoding(v1::MAP_F32);
  return request;
}

TEST(SlowPeersTest, AHandshakeOfAByteAtATimeEndsAtItsTimeout) {
  LiveServer live([](v1::ServerConfig* config) { config->set_handshake_timeout_ms(300); });
  const RawPeer slow(live.server().grpc_address());
  const std::string preface = ClientPreface();
  EXPECT_LT(Trickle(slow, preface), preface.size());
  EXPECT_TRUE(CallHealth(live.channel()).ok());
}

TEST(SlowPeersTest, AMessageOfAByteAtATimeTakesNoPlaceAndEndsWithItsConnection) {
  LiveServer live([](v1::ServerConfig* config) {
    LimitConnections(config);
    config->set_max_pending_requests(1);
  });
  const RawPeer slow(live.server().grpc_address());
  ASSERT_TRUE(slow.Send(ClientPreface() + CallHeaders(1, kSegmentPath)));
  EXPECT_TRUE(live.Segment(RawRequest()).ok()) << "the only place is free";
  const std::string message = MessageFrames(1, RequestOfLargeAnswer().SerializeAsString());
  EXPECT_LT(Trickle(slow, message), message.size());
  EXPECT_EQ(live.street().calls().size(), 1u);
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

TEST(SlowPeersTest, AnAnswerThatNobodyReadsTakesNoPlaceAndEndsWithItsConnection) {
  LiveServer live([](v1::ServerConfig* config) {
    LimitConnections(config);
    config->set_max_pending_requests(1);
  });
  const RawPeer slow(live.server().grpc_address());
  ASSERT_TRUE(
      slow.Send(ClientPreface(/*window=*/0) + WholeCall(1, kSegmentPath, RequestOfLargeAnswer().SerializeAsString())));
  ASSERT_TRUE(live.ScrapeUntil("candor_requests_total{code=\"OK\",method=\"Segment\",model=\"street\"} 1"));
  EXPECT_TRUE(live.Segment(RawRequest()).ok()) << "the only place is free";
  slow.WaitUntilClosed();
  const auto start = steady_clock::now();
  live.server().Drain();
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(20))
      << "which a request under way would hold up for 30 s";
}

TEST(SlowPeersTest, CallersWhoNeverReadDoNotKeepOthersOutForLong) {
  LiveServer live([](v1::ServerConfig* config) {
    config->set_max_pending_requests(2);
    config->set_unread_answer_ms(1);
  });
  constexpr int kAll = 2 + 64;  // the places, and those of answers under way
  const RawPeer deaf(live.server().grpc_address());
  ASSERT_TRUE(deaf.Send(ClientPreface(/*window=*/0)));
  const std::string request = RequestOfLargeAnswer().SerializeAsString();
  for (int i = 0; i < kAll; ++i) {
    ASSERT_TRUE(deaf.Send(WholeCall(static_cast<uint32_t>(2 * i + 1), kSegmentPath, request)));
    ASSERT_TRUE(live.ScrapeUntil(
        absl::StrCat("candor_requests_total{code=\"OK\",method=\"Segment\",model=\"street\"} ", i + 1)));
  }
  const grpc::Status refused = live.Segment(RawRequest());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), testing::HasSubstr("not read"));
  const auto start = steady_clock::now();
  while (!live.Segment(RawRequest()).ok()) {
    ASSERT_LT(steady_clock::now() - start, std::chrono::seconds(20));
  }
}

TEST(SlowPeersTest, APeerThatVanishedIsFoundByKeepaliveAndItsPlaceIsFree) {
  LiveServer live([](v1::ServerConfig* config) {
    config->set_keepalive_ms(200);
    config->set_keepalive_timeout_ms(300);
    config->set_max_pending_requests(1);
  });
  live.street().Block();
  const RawPeer vanished(live.server().grpc_address());
  ASSERT_TRUE(vanished.Send(ClientPreface() + WholeCall(1, kSegmentPath, RawRequest().SerializeAsString())));
  live.street().WaitForCalls(1);
  // No FIN and no answer to a ping, as of a machine without power.
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
  live.street().Release();
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

}  // namespace
}  // namespace candor
