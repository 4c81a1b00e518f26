// SPDX-License-Identifier: Apache-2.0
//
// Requests that have to wait, that nobody waits for any more, and those whose model fails.
#include "server/segment_call.h"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

TEST(SegmentCallTest, OneRequestMoreThanThePendingLimitIsRefusedAtOnce) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_pending_requests(2); });
  live.street().Block();
  PendingCall running(&live, RawRequest());
  live.street().WaitForCalls(1);
  PendingCall queued(&live, RawRequest());
  ASSERT_TRUE(live.ScrapeUntil("candor_requests_in_flight 2"));
  const grpc::Status refused = live.Segment(RawRequest());
  EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("max_pending_requests is 2"));
  live.street().Release();
  EXPECT_TRUE(running.Wait().ok());
  EXPECT_TRUE(queued.Wait().ok());
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

TEST(SegmentCallTest, ACallerWhoHasItsAnswerFindsThePlaceFree) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_pending_requests(1); });
  for (int i = 0; i < 300; ++i) {
    const grpc::Status status = live.Segment(RawRequest());
    ASSERT_TRUE(status.ok()) << i << ": " << status.error_message();
  }
}

// Keeps the model busy, gives `give_up` a second request that waits in the queue, and lets the model go on once the
// server knows that nobody waits for it.
void ExpectQueuedNeverReachesTheModel(LiveServer* live, std::chrono::milliseconds timeout,
                                      const std::function<void(PendingCall*)>& give_up) {
  live->street().Block();
  PendingCall running(live, RawRequest());
  live->street().WaitForCalls(1);
  PendingCall queued(live, RawRequest(), timeout);
  ASSERT_TRUE(live->ScrapeUntil("candor_requests_in_flight 2"));
  give_up(&queued);
  ASSERT_TRUE(live->ScrapeUntil("candor_requests_abandoned_total 1"));
  live->street().Release();
  EXPECT_TRUE(running.Wait().ok());
  EXPECT_TRUE(live->ScrapeUntil("candor_requests_in_flight 0"));
  EXPECT_EQ(live->street().calls().size(), 1u);
}

TEST(SegmentCallTest, ARequestWhoseDeadlinePassesInTheQueueNeverReachesTheModel) {
  LiveServer live;
  ExpectQueuedNeverReachesTheModel(&live, std::chrono::milliseconds(500), [](PendingCall* call) {
    EXPECT_EQ(call->Wait().error_code(), StatusCode::DEADLINE_EXCEEDED);
  });
}

TEST(SegmentCallTest, ARequestCancelledInTheQueueNeverReachesTheModel) {
  LiveServer live;
  ExpectQueuedNeverReachesTheModel(&live, std::chrono::seconds(60), [](PendingCall* call) {
    call->Cancel();
    EXPECT_EQ(call->Wait().error_code(), StatusCode::CANCELLED);
  });
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_total{code=\"CANCELLED\",method=\"Segment\",model=\"street\"} 1"));
}

TEST(SegmentCallTest, ADeadlineThatPassesDuringInferenceStopsIt) {
  LiveServer live;
  live.street().Block();  // only the deadline ends the call
  PendingCall call(&live, RawRequest(), std::chrono::milliseconds(500));
  live.street().WaitForCalls(1);
  EXPECT_EQ(call.Wait().error_code(), StatusCode::DEADLINE_EXCEEDED);
  live.street().WaitForReturns(1);
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
}

TEST(SegmentCallTest, CancellationStopsARunningInference) {
  LiveServer live;
  live.street().Block();  // only the cancellation ends the call
  PendingCall call(&live, RawRequest());
  live.street().WaitForCalls(1);
  call.Cancel();
  EXPECT_EQ(call.Wait().error_code(), StatusCode::CANCELLED);
  live.street().WaitForReturns(1);
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_total{code=\"CANCELLED\",method=\"Segment\",model=\"street\"} 1"));
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
}

TEST(SegmentCallTest, TheModelsErrorReachesTheCaller) {
  LiveServer live;
  live.street().FailWith(absl::ResourceExhaustedError("out of GPU memory"));
  grpc::Status status = live.Segment(RawRequest());
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "out of GPU memory");
  live.street().FailWith(absl::OkStatus());
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

TEST(SegmentCallTest, AnExceptionIsInternalAndTheServerGoesOn) {
  LiveServer live;
  live.street().Throw("boom");
  const grpc::Status status = live.Segment(RawRequest());
  EXPECT_EQ(status.error_code(), StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), HasSubstr("boom"));
  v1::SegmentRequest other = RawRequest();
  other.set_model("committee");
  EXPECT_TRUE(live.Segment(other).ok());
}

TEST(SegmentCallTest, ManyRequestsAtOnceAreAllAnswered) {
  LiveServer live;
  std::vector<std::unique_ptr<PendingCall>> calls;
  for (int i = 0; i < 50; ++i) calls.push_back(std::make_unique<PendingCall>(&live, RawRequest()));
  for (const std::unique_ptr<PendingCall>& call : calls) {
    EXPECT_TRUE(call->Wait().ok());
    EXPECT_EQ(call->response().width(), 4);
  }
  EXPECT_EQ(live.street().calls().size(), 50u);
}

}  // namespace
}  // namespace candor
