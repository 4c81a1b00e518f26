// SPDX-License-Identifier: Apache-2.0
//
// A server that dies in the middle of its answer: gRPC retries no call whose answer has begun, so the client does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "client/segmentation_client.h"
#include "google/protobuf/any.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/client/cut_relay.h"
#include "tests/client/fake_service.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

// Of the server's answer: what gRPC says at a connection's begin is less, each answer here is more.
constexpr int64_t kBytesBeforeTheCut = 100'000;

std::unique_ptr<SegmentationClient> Connect(const std::string& address, absl::Duration timeout = absl::Seconds(30)) {
  ClientOptions options;
  options.server = address;
  options.timeout = timeout;
  return *SegmentationClient::Create(options);
}

// As candor-server, which says the request's id first.
grpc::Status Answer(grpc::ServerContext* context, const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
  context->AddInitialMetadata("x-request-id", "r-17");
  return AnswerFaithfully(request, reply);
}

// 1.2 MB of labels.
RawImage LargeImage() {
  static const std::string pixels(1'200'000, 'x');
  return {PixelFormat::kGrey8, 1200, 1000, 0, pixels};
}

// Fails the first call so, and answers the others.
SegmentCallHandler FailOnce(const grpc::Status& failure) {
  auto is_first = std::make_shared<std::atomic<bool>>(true);
  return
      [is_first, failure](grpc::ServerContext* context, const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
        const grpc::Status status = Answer(context, request, reply);
        return is_first->exchange(false) ? failure : status;
      };
}

// Of candor's own handler: with its reason.
grpc::Status WithReason(grpc::StatusCode code) {
  google::rpc::ErrorInfo info;
  info.set_domain("candor");
  info.set_reason("SOME_REASON");
  google::rpc::Status details;
  details.set_code(code);
  details.add_details()->PackFrom(info);
  return {code, "no", details.SerializeAsString()};
}

TEST(BrokenAnswerTest, IsAskedForOnceMore) {
  FakeServer server(Answer);
  CutRelay relay(server.address(), /*cuts=*/1, kBytesBeforeTheCut);
  const auto result = Connect(relay.address())->SegmentRaw(LargeImage(), {});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->labels.values.size(), 1'200'000U);
  EXPECT_EQ(server.calls(), 2);
  EXPECT_EQ(relay.connections(), 2);
}

TEST(BrokenAnswerTest, IsAskedForOnceMoreByACallThatDoesNotWait) {
  FakeServer server(Answer);
  CutRelay relay(server.address(), /*cuts=*/1, kBytesBeforeTheCut);
  auto client = Connect(relay.address());
  const auto call = client->StartSegmentRaw(LargeImage(), {}, nullptr);
  client.reset();  // a call goes on without it
  ASSERT_THAT(call, IsOk());
  ASSERT_THAT((*call)->Wait(), IsOk());
  EXPECT_EQ((*call)->Wait()->labels.values.size(), 1'200'000U);
  EXPECT_EQ(server.calls(), 2);
}

TEST(BrokenAnswerTest, ThatBreaksOffAgainIsAnError) {
  FakeServer server(Answer);
  CutRelay relay(server.address(), /*cuts=*/2, kBytesBeforeTheCut);
  const auto client = Connect(relay.address());
  EXPECT_THAT(client->SegmentRaw(LargeImage(), {}), HasStatus(absl::StatusCode::kUnavailable, testing::_));
  EXPECT_EQ(server.calls(), 2);
}

TEST(BrokenAnswerTest, OfQuestionsAboutModelsToo) {
  FakeServer server(Answer);
  v1::Model large = FakeModel("student");
  large.mutable_identity()->set_digest(std::string(1'000'000, 'a'));
  server.SetModels({large});
  CutRelay list_relay(server.address(), /*cuts=*/1, kBytesBeforeTheCut);
  EXPECT_THAT(Connect(list_relay.address())->ListModels(), IsOk());
  EXPECT_EQ(list_relay.connections(), 2);
  CutRelay model_relay(server.address(), /*cuts=*/1, kBytesBeforeTheCut);
  EXPECT_THAT(Connect(model_relay.address())->GetModel("student"), IsOk());
  EXPECT_EQ(model_relay.connections(), 2);
}

TEST(BrokenAnswerTest, ACancelledCallIsNotAskedForAgain) {
  std::atomic<int> calls = 0;
  const SegmentCallHandler wait_for_the_end = [&](grpc::ServerContext* context, const v1::SegmentRequest& request,
                                                  v1::SegmentResponse* reply) {
    ++calls;
    while (!context->IsCancelled()) continue;
    return Answer(context, request, reply);
  };
  FakeServer server(wait_for_the_end);
  const auto client = Connect(server.address());
  const auto call = client->StartSegmentRaw(LargeImage(), {}, nullptr);
  ASSERT_THAT(call, IsOk());
  while (calls == 0) continue;
  (*call)->Cancel();
  EXPECT_THAT((*call)->Wait(), HasStatus(absl::StatusCode::kCancelled, testing::_));
  EXPECT_EQ(calls, 1);
}

// What gRPC calls a stream that ended without a status: "Stream removed". candor's own errors have a reason.
TEST(BrokenAnswerTest, UnknownIsAskedForOnceMoreUnlessTheServersHandlerSaidIt) {
  for (const bool waits : {true, false}) {
    const auto segment = [&](const std::string& address) {
      const auto client = Connect(address);
      if (waits) return client->SegmentRaw(LargeImage(), {}).status();
      return (*client->StartSegmentRaw(LargeImage(), {}, nullptr))->Wait().status();
    };
    FakeServer removed(FailOnce({grpc::StatusCode::UNKNOWN, "Stream removed"}));
    EXPECT_THAT(segment(removed.address()), IsOk()) << waits;
    EXPECT_EQ(removed.calls(), 2) << waits;
    FakeServer refused(FailOnce(WithReason(grpc::StatusCode::UNKNOWN)));
    EXPECT_THAT(segment(refused.address()), HasStatus(absl::StatusCode::kUnknown, HasSubstr("no"))) << waits;
    EXPECT_EQ(refused.calls(), 1) << waits;
  }
}

// candor-server's own UNAVAILABLE comes with the request's id, so gRPC takes it for an answer that has begun.
TEST(BrokenAnswerTest, AServerThatDrainsIsAskedOnceMoreToo) {
  FakeServer server(FailOnce(WithReason(grpc::StatusCode::UNAVAILABLE)));
  EXPECT_THAT(Connect(server.address())->SegmentRaw(LargeImage(), {}), IsOk());
  EXPECT_EQ(server.calls(), 2);
}

}  // namespace
}  // namespace candor
