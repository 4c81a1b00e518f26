// SPDX-License-Identifier: Apache-2.0
#include "client/segmentation_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/client/fake_service.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<SegmentationClient> Connect(const std::string& address, absl::Duration timeout = absl::Seconds(30)) {
  ClientOptions options;
  options.server = address;
  options.timeout = timeout;
  return *SegmentationClient::Create(options);
}

RawImage GreyImage(int width, int height, const std::string& data) {
  return {PixelFormat::kGrey8, width, height, 0, data};
}

// Answers UNAVAILABLE `failures` times, then as the faithful service does for a 4x2 picture.
SegmentHandler FailFirst(int failures) {
  auto left = std::make_shared<std::atomic<int>>(failures);
  return [left](const v1::SegmentRequest& request, v1::SegmentResponse* reply) -> grpc::Status {
    if (left->fetch_sub(1) > 0) return {grpc::StatusCode::UNAVAILABLE, "draining"};
    v1::SegmentRequest small = request;
    small.mutable_image()->mutable_raw()->set_width(4);
    small.mutable_image()->mutable_raw()->set_height(2);
    return AnswerFaithfully(small, reply);
  };
}

TEST(SegmentationClientTest, RefusesOptionsItCannotKeep) {
  EXPECT_THAT(SegmentationClient::Create({""}), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("server")));
  for (const absl::Duration timeout : {absl::ZeroDuration(), absl::Seconds(-1), absl::InfiniteDuration()}) {
    EXPECT_THAT(SegmentationClient::Create({"a:1", timeout}),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("timeout: must be > 0")));
  }
  for (const int64_t bytes : {int64_t{0}, int64_t{1} << 31}) {
    EXPECT_THAT(SegmentationClient::Create({"a:1", absl::Seconds(1), bytes}),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("max_message_bytes")));
  }
}

TEST(SegmentationClientTest, CarriesEveryFieldOfTheReply) {
  FakeServer server;
  SegmentOptions options;
  options.model = "teacher";
  options.uncertainty = {{"predictive_entropy", true, 0.75F}, {"", false, std::nullopt}};
  const auto result = Connect(server.address())->SegmentRaw(GreyImage(3, 2, "abcdef"), options);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->request_id, "r-17");
  EXPECT_EQ(result->model, "teacher");
  EXPECT_EQ(result->model_version, 3);
  EXPECT_EQ(result->model_digest, std::string(64, 'a'));
  EXPECT_EQ(result->width, 3);
  EXPECT_EQ(result->height, 2);
  EXPECT_EQ(result->labels.width, 3);
  EXPECT_EQ(result->labels.height, 2);
  EXPECT_THAT(result->labels.values, ElementsAre(0, 0, 0, 1, 2, 0));
  ASSERT_EQ(result->uncertainty.size(), 2U);
  EXPECT_EQ(result->uncertainty[0].figures.kind, "predictive_stddev");
  EXPECT_THAT(result->uncertainty[0].map.values, IsEmpty());
  const UncertaintyFigures& figures = result->uncertainty[1].figures;
  EXPECT_EQ(figures.kind, "predictive_entropy");
  EXPECT_EQ(figures.mean, 0.1F);
  EXPECT_EQ(figures.max, 0.9F);
  EXPECT_EQ(figures.median, 0.05F);
  EXPECT_EQ(figures.p90, 0.25F);
  EXPECT_EQ(figures.p99, 0.5F);
  EXPECT_EQ(figures.threshold, 0.75F);
  EXPECT_EQ(figures.share_above_threshold, 0.125F);
  EXPECT_THAT(result->uncertainty[1].map.values, ElementsAre(0, 0.125F, 0.25F, 0.375F, 0.5F, 0.625F));
  ASSERT_EQ(result->classes.size(), 2U);
  EXPECT_EQ(result->classes[0].class_index, 1);
  EXPECT_EQ(result->classes[0].share, 0.75F);
  EXPECT_EQ(result->classes[0].mean_uncertainty, 0.2F);
  EXPECT_EQ(result->verdict, Verdict::kNone);
  EXPECT_EQ(result->server_times.decode_ms, 1.5F);
  EXPECT_EQ(result->server_times.queue_ms, 0.25F);
  EXPECT_EQ(result->server_times.infer_ms, 40);
  EXPECT_EQ(result->server_times.encode_ms, 2.5F);
  EXPECT_GT(result->round_trip_ms, 0);
  EXPECT_EQ(server.last_request().image().raw().data(), "abcdef");
}

TEST(SegmentationClientTest, SendsFileBytesUntouched) {
  FakeServer server(FailFirst(0));
  const std::string bytes("\xff\xd8\0\n", 4);
  ASSERT_THAT(Connect(server.address())->SegmentEncoded(bytes, {}), IsOk());
  EXPECT_EQ(server.last_request().image().encoded(), bytes);
}

TEST(SegmentationClientTest, LeavesOutWhatIsNotWanted) {
  FakeServer server;
  SegmentOptions options;
  options.want_labels = false;
  const auto result = Connect(server.address())->SegmentRaw(GreyImage(3, 2, "abcdef"), options);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->labels.values, IsEmpty());
  ASSERT_EQ(result->uncertainty.size(), 1U);
  EXPECT_THAT(result->uncertainty[0].map.values, IsEmpty());
}

TEST(SegmentationClientTest, ReceivesMapsAboveTheUsualFourMebibytes) {
  FakeServer server;
  SegmentOptions options;
  options.uncertainty = {{"predictive_stddev"}};
  const auto result = Connect(server.address())->SegmentRaw(GreyImage(1200, 1000, "x"), options);
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->uncertainty[0].map.values.size(), 1'200'000U);
  EXPECT_EQ(result->uncertainty[0].map.values[1'199'999], 7.0F / 16);
}

TEST(SegmentationClientTest, RetriesUnavailableFourTimes) {
  FakeServer server(FailFirst(4));
  EXPECT_THAT(Connect(server.address())->SegmentEncoded("x", {}), IsOk());
  EXPECT_EQ(server.calls(), 5);
}

TEST(SegmentationClientTest, RetriesRequestsOfOneMebibyte) {
  FakeServer server(FailFirst(1));
  EXPECT_THAT(Connect(server.address())->SegmentEncoded(std::string(1 << 20, 'x'), {}), IsOk());
  EXPECT_EQ(server.calls(), 2);
  EXPECT_EQ(server.last_request().image().encoded().size(), size_t{1} << 20);
}

TEST(SegmentationClientTest, GivesUpAfterFiveAttemptsWithTheServersMessage) {
  FakeServer server(FailFirst(100));
  EXPECT_THAT(Connect(server.address())->SegmentEncoded("x", {}),
              HasStatus(absl::StatusCode::kUnavailable, HasSubstr("draining")));
  EXPECT_EQ(server.calls(), 5);
}

TEST(SegmentationClientTest, RetriesNothingElse) {
  for (const grpc::StatusCode code : {grpc::RESOURCE_EXHAUSTED, grpc::INTERNAL, grpc::ABORTED, grpc::NOT_FOUND}) {
    FakeServer server([code](const v1::SegmentRequest&, v1::SegmentResponse*) { return grpc::Status(code, "no"); });
    EXPECT_THAT(Connect(server.address())->SegmentEncoded("x", {}),
                HasStatus(static_cast<absl::StatusCode>(code), testing::StrEq("no")));
    EXPECT_EQ(server.calls(), 1);
  }
}

TEST(SegmentationClientTest, EndsCallsAtTheDeadline) {
  absl::Notification release;
  FakeServer server([&](const v1::SegmentRequest&, v1::SegmentResponse*) {
    release.WaitForNotification();
    return grpc::Status::OK;
  });
  EXPECT_THAT(Connect(server.address(), absl::Milliseconds(100))->SegmentEncoded("x", {}),
              HasStatus(absl::StatusCode::kDeadlineExceeded, testing::_));
  release.Notify();
}

TEST(SegmentationClientTest, EndsRetriesAtTheDeadline) {
  FakeServer server(FailFirst(100));
  const absl::Time start = absl::Now();
  EXPECT_FALSE(Connect(server.address(), absl::Milliseconds(50))->SegmentEncoded("x", {}).ok());
  EXPECT_LT(server.calls(), 5);
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

TEST(SegmentationClientTest, RefusesAReplyThatContradictsItself) {
  FakeServer server([](const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
    grpc::Status status = AnswerFaithfully(request, reply);
    reply->mutable_labels()->resize(5);
    return status;
  });
  EXPECT_THAT(Connect(server.address())->SegmentRaw(GreyImage(3, 2, "abcdef"), {}),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("labels: 3x2 need 6 bytes, got 5")));
}

TEST(SegmentationClientTest, SaysUnavailableWhereNothingListens) {
  const DeadAddress dead;
  EXPECT_THAT(Connect(dead.address())->ListModels(), HasStatus(absl::StatusCode::kUnavailable, HasSubstr("connect")));
}

TEST(SegmentationClientTest, ConnectsAgainWhenTheServerIsBack) {
  FakeServer server;
  const auto client = Connect(server.address());
  ASSERT_THAT(client->GetModel(""), IsOk());
  server.Stop();
  EXPECT_THAT(client->CheckHealth(""), HasStatus(absl::StatusCode::kUnavailable, testing::_));
  server.Start();
  EXPECT_THAT(client->GetModel(""), IsOk());
}

TEST(SegmentationClientTest, DescribesModels) {
  FakeServer server;
  const auto list = Connect(server.address())->ListModels();
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ(list->default_model, "student");
  ASSERT_EQ(list->models.size(), 2U);
  const ModelDescription& teacher = list->models[1];
  EXPECT_EQ(teacher.name, "teacher");
  EXPECT_EQ(teacher.version, 3);
  EXPECT_EQ(teacher.digest, std::string(64, 'a'));
  EXPECT_EQ(teacher.kind, "ensemble");
  EXPECT_THAT(teacher.aliases, ElementsAre("teacher-alias"));
  EXPECT_EQ(teacher.members, 10);
  EXPECT_EQ(teacher.architecture, "deeplabv3plus_resnet18");
  EXPECT_EQ(teacher.width, 64);
  EXPECT_EQ(teacher.parameters, 12'345'678);
  EXPECT_EQ(teacher.device, "cpu");
  EXPECT_EQ(teacher.precision, "fp32");
  ASSERT_EQ(teacher.classes.size(), 3U);
  EXPECT_EQ(teacher.classes[1].name, "sky");
  EXPECT_EQ(teacher.classes[1].colour, (Colour{0, 128, 255}));
  ASSERT_EQ(teacher.uncertainty.size(), 2U);
  EXPECT_EQ(teacher.uncertainty[1].name, "predictive_entropy");
  EXPECT_EQ(teacher.uncertainty[1].unit, "nats");
  EXPECT_FLOAT_EQ(teacher.uncertainty[1].range_max, std::log(3.0F));
}

TEST(SegmentationClientTest, NamesAnUnknownModel) {
  FakeServer server;
  EXPECT_THAT(Connect(server.address())->GetModel("nobody"),
              HasStatus(absl::StatusCode::kNotFound, HasSubstr("nobody")));
}

TEST(SegmentationClientTest, TellsHealthByService) {
  FakeServer server;
  const auto client = Connect(server.address());
  EXPECT_EQ(*client->CheckHealth(""), HealthState::kServing);
  EXPECT_EQ(*client->CheckHealth("candor.v1.Segmentation"), HealthState::kServing);
  server.SetServing("candor.v1.Segmentation", false);
  EXPECT_EQ(*client->CheckHealth("candor.v1.Segmentation"), HealthState::kNotServing);
  EXPECT_EQ(*client->CheckHealth("nobody"), HealthState::kUnknownService);
}

}  // namespace
}  // namespace candor
