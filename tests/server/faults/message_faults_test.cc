// SPDX-License-Identifier: Apache-2.0
//
// Messages that are too large, or larger than they look.
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using grpc::StatusCode;

constexpr int64_t kMiB = 1 << 20;

TEST(MessageFaultsTest, AGzipBombIsUnimplementedBeforeItIsInflated) {
  LiveServer live;
  const v1::SegmentRequest bomb = EncodedRequest(std::string(128 * kMiB, '\0'));
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::SegmentResponse response;
  EXPECT_EQ(live.stub().Segment(&context, bomb, &response).error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(live.street().calls().empty());
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

TEST(MessageFaultsTest, AMessageOverTheLimitIsResourceExhausted) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_message_bytes(kMiB); });
  EXPECT_EQ(live.Segment(EncodedRequest(std::string(kMiB + 1, 'x'))).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(live.Segment(EncodedRequest(std::string(kMiB - 100, 'x'))).error_code(), StatusCode::INVALID_ARGUMENT)
      << "one within it is looked at";
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

}  // namespace
}  // namespace candor
