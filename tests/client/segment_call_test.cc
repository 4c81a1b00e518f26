// SPDX-License-Identifier: Apache-2.0
//
// Calls that do not block, and calls to several servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/segmentation_client.h"
#include "tests/client/fake_service.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kPixels[] = "abcdef";

RawImage SmallImage() { return {PixelFormat::kGrey8, 3, 2, 0, kPixels}; }

std::unique_ptr<SegmentationClient> Connect(const std::string& servers, int connections = 1) {
  ClientOptions options;
  options.server = servers;
  options.connections = connections;
  return *SegmentationClient::Create(options);
}

// Answers nothing until the caller has gone (or 20 s have passed: a test that fails, not one that hangs).
grpc::Status WaitUntilCancelled(grpc::ServerContext* context) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!context->IsCancelled() && absl::Now() < give_up) std::this_thread::yield();
  return context->IsCancelled() ? grpc::Status::CANCELLED : grpc::Status(grpc::INTERNAL, "never cancelled");
}

TEST(SegmentCallTest, GivesTheSameAnswerAsTheBlockingCall) {
  FakeServer server;
  const auto client = Connect(server.address());
  SegmentOptions options;
  options.uncertainty = {{"predictive_stddev"}};
  const auto call = client->StartSegmentRaw(SmallImage(), options, nullptr);
  ASSERT_THAT(call, IsOk());
  const absl::StatusOr<SegmentResult>& result = (*call)->Wait();
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->labels.values, ElementsAre(0, 1, 2, 1, 2, 0));
  EXPECT_THAT(result->uncertainty.at(0).map.values, ElementsAre(0, 0.0625F, 0.125F, 0.1875F, 0.25F, 0.3125F));
  EXPECT_GT(result->round_trip_ms, 0);
  EXPECT_EQ(&(*call)->Wait(), &result);
}

TEST(SegmentCallTest, CallsBackOnceWithTheResultAtHand) {
  FakeServer server;
  const auto client = Connect(server.address());
  std::atomic<int> runs = 0;
  absl::Notification called_back;
  absl::StatusOr<SegmentResult> result;
  ASSERT_THAT(client->StartSegmentRaw(SmallImage(), {},
                                      [&](const std::shared_ptr<SegmentCall>& call) {
                                        ++runs;
                                        EXPECT_TRUE(call->HasEnded());
                                        result = call->Wait();
                                        called_back.Notify();
                                      }),
              IsOk());
  called_back.WaitForNotification();
  EXPECT_EQ(runs, 1);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->model, "student");
}

TEST(SegmentCallTest, EndsTheServersWorkWhenCancelled) {
  absl::Notification begun;
  absl::Notification ended;
  FakeServer server([&](grpc::ServerContext* context, const v1::SegmentRequest&, v1::SegmentResponse*) {
    begun.Notify();
    grpc::Status status = WaitUntilCancelled(context);
    ended.Notify();
    return status;
  });
  auto client = Connect(server.address());
  // Held by the callback alone: gone with the call.
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> held_by_call = held;
  auto call =
      client->StartSegmentRaw(SmallImage(), {}, [held = std::move(held)](const std::shared_ptr<SegmentCall>&) {});
  ASSERT_THAT(call, IsOk());
  begun.WaitForNotification();
  EXPECT_FALSE((*call)->HasEnded());
  (*call)->Cancel();
  EXPECT_THAT((*call)->Wait(), HasStatus(absl::StatusCode::kCancelled, testing::_));
  ended.WaitForNotification();
  server.Stop();
  EXPECT_EQ(server.calls(), 1) << "CANCELLED is retried, but not the caller's own";
  EXPECT_TRUE(held_by_call.expired());
}

TEST(SegmentCallTest, IsNotRetriedOnceCancelled) {
  absl::Notification begun;
  FakeServer server([&](const v1::SegmentRequest&, v1::SegmentResponse*) {
    if (!begun.HasBeenNotified()) begun.Notify();
    return grpc::Status(grpc::UNAVAILABLE, "draining");
  });
  const auto client = Connect(server.address());
  const auto call = client->StartSegmentRaw(SmallImage(), {}, nullptr);
  ASSERT_THAT(call, IsOk());
  begun.WaitForNotification();
  (*call)->Cancel();  // while it waits for its next attempt
  EXPECT_THAT((*call)->Wait(), HasStatus(absl::StatusCode::kCancelled, testing::_));
  EXPECT_LT(server.calls(), 5);
}

TEST(SegmentCallTest, HasADeadlineOfItsOwn) {
  FakeServer server([](grpc::ServerContext* context, const v1::SegmentRequest&, v1::SegmentResponse*) {
    return WaitUntilCancelled(context);
  });
  const auto client = Connect(server.address());
  SegmentOptions options;
  options.timeout = absl::Milliseconds(50);
  EXPECT_THAT((*client->StartSegmentEncoded("x", options, nullptr))->Wait(),
              HasStatus(absl::StatusCode::kDeadlineExceeded, testing::_));
  EXPECT_THAT(client->SegmentEncoded("x", options), HasStatus(absl::StatusCode::kDeadlineExceeded, testing::_));
}

TEST(SegmentCallTest, OutlivesTheClientAndItsHandle) {
  absl::Notification begun;
  absl::Notification release;
  FakeServer server([&](const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
    begun.Notify();
    release.WaitForNotification();
    return AnswerFaithfully(request, reply);
  });
  auto client = Connect(server.address());
  absl::Notification called_back;
  absl::Status status = absl::UnknownError("not yet");
  ASSERT_THAT(client->StartSegmentRaw(SmallImage(), {},
                                      [&](const std::shared_ptr<SegmentCall>& call) {
                                        status = call->Wait().status();
                                        called_back.Notify();
                                      }),
              IsOk());
  begun.WaitForNotification();
  client = nullptr;
  release.Notify();
  called_back.WaitForNotification();
  EXPECT_THAT(status, IsOk());
}

TEST(SegmentCallTest, RefusesARequestThatCannotBeMadeWithoutCallingBack) {
  FakeServer server;
  SegmentOptions options;
  options.uncertainty = {{"doubt"}};
  EXPECT_THAT(Connect(server.address())
                  ->StartSegmentRaw(SmallImage(), options, [](const std::shared_ptr<SegmentCall>&) { ADD_FAILURE(); }),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("doubt")));
  EXPECT_EQ(server.calls(), 0);
}

TEST(ConnectionPoolTest, UsesAsManyConnectionsAsAskedFor) {
  FakeServer one;
  FakeServer three;
  const auto with_one = Connect(one.address());
  const auto with_three = Connect(three.address(), 3);
  for (int i = 0; i < 6; ++i) {
    ASSERT_THAT(with_one->SegmentRaw(SmallImage(), {}), IsOk());
    ASSERT_THAT(with_three->SegmentRaw(SmallImage(), {}), IsOk());
  }
  EXPECT_EQ(one.connections(), 1);
  EXPECT_EQ(three.connections(), 3);
}

TEST(ConnectionPoolTest, RefusesNoneAndTooMany) {
  for (const int connections : {0, 65}) {
    ClientOptions options;
    options.connections = connections;
    EXPECT_THAT(SegmentationClient::Create(options),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr(absl::StrCat("[1, 64], got ", connections))));
  }
}

// Calls in four threads while one of two servers goes. Returns the first failure.
class TwoServersTest : public testing::Test {
 protected:
  absl::Status CallWhile(const std::function<void()>& change) {
    const auto client = Connect(absl::StrCat(first_.address(), ",", second_.address()));
    std::atomic<bool> stop = false;
    std::vector<absl::Status> failures(4);
    std::vector<std::thread> callers;
    for (absl::Status& failure : failures) {
      callers.emplace_back([&] {
        while (!stop && failure.ok()) failure.Update(client->SegmentRaw(SmallImage(), {}).status());
      });
    }
    WaitForMoreCalls(&first_, 20);
    WaitForMoreCalls(&second_, 20);
    change();
    WaitForMoreCalls(&second_, 100);
    stop = true;
    for (std::thread& caller : callers) caller.join();
    for (const absl::Status& failure : failures) {
      if (!failure.ok()) return failure;
    }
    return absl::OkStatus();
  }

  static void WaitForMoreCalls(FakeServer* server, int count) {
    const int wanted = server->calls() + count;
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (server->calls() < wanted && absl::Now() < give_up) std::this_thread::yield();
    EXPECT_GE(server->calls(), wanted);
  }

  FakeServer first_;
  FakeServer second_;
};

TEST_F(TwoServersTest, NoCallFailsWhenOneShutsDown) {
  EXPECT_THAT(CallWhile([this] { first_.Stop(); }), IsOk());
}

TEST_F(TwoServersTest, NoCallFailsWhenOneIsCutOff) {
  EXPECT_THAT(CallWhile([this] { first_.StopAtOnce(); }), IsOk());
}

TEST_F(TwoServersTest, NoCallFailsWhenOneComesBack) {
  EXPECT_THAT(CallWhile([this] {
                first_.StopAtOnce();
                WaitForMoreCalls(&second_, 20);
                first_.Start();
                WaitForMoreCalls(&first_, 20);
              }),
              IsOk());
}

TEST_F(TwoServersTest, OneThatIsNotServingGetsNoCalls) {
  int calls = 0;
  EXPECT_THAT(CallWhile([this, &calls] {
                first_.SetServing("candor.v1.Segmentation", false);
                // The news travels by the health watch: once the second server alone has answered 200 in a row.
                for (int before = -1; before != calls;) {
                  before = first_.calls();
                  WaitForMoreCalls(&second_, 200);
                  calls = first_.calls();
                }
              }),
              IsOk());
  EXPECT_EQ(first_.calls(), calls);
}

TEST_F(TwoServersTest, HealthIsToldEvenIfNoneIsServing) {
  const auto client = Connect(absl::StrCat(first_.address(), ",", second_.address()));
  EXPECT_EQ(*client->CheckHealth("candor.v1.Segmentation"), HealthState::kServing);
  first_.SetServing("candor.v1.Segmentation", false);
  second_.SetServing("candor.v1.Segmentation", false);
  EXPECT_EQ(*client->CheckHealth("candor.v1.Segmentation"), HealthState::kNotServing);
}

}  // namespace
}  // namespace candor
