// SPDX-License-Identifier: Apache-2.0
//
// What wrong and missing tokens do, and what becomes of the right ones.
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "tests/server/faults/secure_client.h"
#include "tests/server/live_server.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;
using testing::Not;

constexpr char kToken[] = "robot-0123456789abcdef";

class TokenFaultsTest : public testing::Test {
 protected:
  TokenFaultsTest() {
    WriteContents(folder_.File("tokens"), std::string("infer ") + kToken + "\n");
    live_ = std::make_unique<LiveServer>(
        [this](v1::ServerConfig* config) { config->set_token_file(folder_.File("tokens")); });
  }

  // One Segment call with these values of `authorization`.
  grpc::Status Segment(const std::vector<std::string>& authorization) const {
    grpc::ClientContext context;
    for (const std::string& value : authorization) context.AddMetadata("authorization", value);
    v1::SegmentResponse response;
    return live_->stub().Segment(&context, RawRequest(), &response);
  }

  const TemporaryFolder folder_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(TokenFaultsTest, EveryMethodNeedsTheToken) {
  EXPECT_EQ(Segment({}).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Segment({"Bearer wrong-0123456789abcdef"}).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Segment({std::string("Basic ") + kToken}).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(live_->street().calls().empty());
  EXPECT_TRUE(Segment({std::string("Bearer ") + kToken}).ok());
  EXPECT_EQ(CallListModels(live_->channel()).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(CallListModels(live_->channel(), std::string("Bearer ") + kToken).ok());
  grpc::ClientContext context;
  v1::GetModelResponse response;
  EXPECT_EQ(live_->stub().GetModel(&context, {}, &response).error_code(), StatusCode::UNAUTHENTICATED);
}

TEST_F(TokenFaultsTest, TwoTokensInOneCallAreNone) {
  EXPECT_EQ(Segment({std::string("Bearer ") + kToken, "Bearer wrong-0123456789abcdef"}).error_code(),
            StatusCode::UNAUTHENTICATED);
}

TEST_F(TokenFaultsTest, ProbesNeedNoToken) { EXPECT_TRUE(CallHealth(live_->channel()).ok()); }

TEST_F(TokenFaultsTest, ARefusalIsCountedAndKeepsNoPlace) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Segment({}).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(live_->ScrapeUntil(R"(candor_requests_total{code="UNAUTHENTICATED",method="Segment",model="none"} 100)"));
  EXPECT_TRUE(live_->ScrapeUntil("candor_requests_in_flight 0"));
}

TEST_F(TokenFaultsTest, ATokenTakenOutOfTheFileIsRefusedFromThenOn) {
  EXPECT_TRUE(Segment({std::string("Bearer ") + kToken}).ok());
  WriteContents(folder_.File("tokens"), "infer other-0123456789abcdef\n");
  EXPECT_EQ(Segment({std::string("Bearer ") + kToken}).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Segment({"Bearer other-0123456789abcdef"}).ok());
}

TEST_F(TokenFaultsTest, NoTokenIsEverLogged) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Segment({"Bearer wrong-0123456789abcdef"}).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Segment({std::string("Bearer ") + kToken}).ok());
  live_->server().Drain();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("UNAUTHENTICATED"));
  EXPECT_THAT(log, Not(HasSubstr("0123456789abcdef")));
}

}  // namespace
}  // namespace candor
