// SPDX-License-Identifier: Apache-2.0
//
// Ids and error details as a caller of a live server sees them.
#include <filesystem>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/server/live_server.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using grpc::StatusCode;

std::string HeaderOf(const grpc::ClientContext& context) {
  const auto& headers = context.GetServerInitialMetadata();
  const auto found = headers.find("x-request-id");
  return found == headers.end() ? "" : std::string(found->second.data(), found->second.size());
}

std::string TrailerOf(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("x-request-id");
  return found == trailers.end() ? "" : std::string(found->second.data(), found->second.size());
}

template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  Detail detail;
  bool found = false;
  for (const auto& any : details.details()) found = found || any.UnpackTo(&detail);
  EXPECT_TRUE(found) << Detail::descriptor()->full_name() << " in " << details.ShortDebugString();
  return detail;
}

class RequestDetailsTest : public testing::Test {
 protected:
  LiveServer live_;
};

TEST_F(RequestDetailsTest, TheCallersIdComesBackInAnswerAndHeader) {
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "robot-7/12");
  v1::SegmentResponse response;
  ASSERT_TRUE(live_.stub().Segment(&context, RawRequest(), &response).ok());
  EXPECT_EQ(response.request_id(), "robot-7/12");
  EXPECT_EQ(HeaderOf(context), "robot-7/12");
}

TEST_F(RequestDetailsTest, AnIdThatIsTooLongIsReplaced) {
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", std::string(65, 'x'));
  v1::SegmentResponse response;
  ASSERT_TRUE(live_.stub().Segment(&context, RawRequest(), &response).ok());
  EXPECT_EQ(response.request_id().size(), 16u);
  EXPECT_EQ(HeaderOf(context), response.request_id());
}

TEST_F(RequestDetailsTest, AnErrorNamesRequestAndField) {
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "robot-7");
  v1::SegmentResponse response;
  const grpc::Status status = live_.stub().Segment(&context, EncodedRequest("no picture"), &response);
  ASSERT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "IMAGE_REFUSED");
  EXPECT_EQ(info.domain(), "candor");
  EXPECT_EQ(info.metadata().at("request_id"), "robot-7");
  EXPECT_EQ(DetailOf<google::rpc::BadRequest>(status).field_violations(0).field(), "image.encoded");
  EXPECT_EQ(TrailerOf(context), "robot-7");
  EXPECT_EQ(HeaderOf(context), "") << "gRPC retries no call whose headers have come";
}

TEST_F(RequestDetailsTest, AnUnknownModelIsAResource) {
  grpc::ClientContext context;
  v1::GetModelRequest request;
  request.set_model("nobody");
  v1::GetModelResponse response;
  const grpc::Status status = live_.stub().GetModel(&context, request, &response);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).reason(), "MODEL_NOT_FOUND");
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).metadata().at("request_id"), TrailerOf(context));
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(status).resource_type(), "candor.v1.Model");
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(status).resource_name(), "nobody");
}

TEST_F(RequestDetailsTest, TheLongestErrorStillArrives) {
  std::string name;  // three bytes a character, each of them three on the wire
  for (int i = 0; i < 2000; ++i) name += "\xE2\x82\xAC";
  v1::SegmentRequest request = RawRequest();
  request.set_model(name);
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", std::string(64, 'x'));
  v1::SegmentResponse response;
  const grpc::Status status = live_.stub().Segment(&context, request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND) << status.error_message();
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(status).resource_name(), name.substr(0, 192));
}

TEST(RequestDetailsOverloadTest, AFullQueueSaysWhenToAskAgain) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_pending_requests(1); });
  live.street().Block();
  PendingCall running(&live, RawRequest());
  live.street().WaitForCalls(1);
  const grpc::Status refused = live.Segment(RawRequest());
  ASSERT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(refused).reason(), "QUEUE_FULL");
  const auto delay = DetailOf<google::rpc::RetryInfo>(refused).retry_delay();
  EXPECT_GT(delay.seconds() + delay.nanos(), 0);
  live.street().Release();
  EXPECT_TRUE(running.Wait().ok());
}

TEST_F(RequestDetailsTest, TheAccessLogHasIdAndTraceOfTheCall) {
  testing::internal::CaptureStderr();
  {
    grpc::ClientContext context;
    context.AddMetadata("x-request-id", "robot-7");
    context.AddMetadata("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    v1::SegmentResponse response;
    EXPECT_TRUE(live_.stub().Segment(&context, RawRequest(), &response).ok());
  }
  EXPECT_TRUE(live_.ScrapeUntil("candor_requests_in_flight 0"));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, testing::HasSubstr("robot-7"));
  EXPECT_THAT(log, testing::HasSubstr("4bf92f3577b34da6a3ce929d0e0e4736"));
  EXPECT_THAT(log, testing::HasSubstr("00f067aa0ba902b7"));
}

TEST(RequestDetailsRefusedTest, APictureThatCannotBeDecodedIsKeptUnderTheRequestsIdIfAskedFor) {
  const TemporaryFolder folder;
  LiveServer live([&folder](v1::ServerConfig* config) { config->set_refused_dump_dir(folder.File("refused")); });
  for (const char* picture : {"no picture", "neither"}) {
    grpc::ClientContext context;
    context.AddMetadata("x-request-id", "robot-7");
    v1::SegmentResponse response;
    EXPECT_FALSE(live.stub().Segment(&context, EncodedRequest(picture), &response).ok());
  }
  v1::SegmentRequest raw = RawRequest();
  raw.mutable_image()->mutable_raw()->set_width(0);
  EXPECT_FALSE(live.Segment(raw).ok());
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
  EXPECT_EQ(Contents(folder.File("refused/0000000001-robot-7.refused")), "no picture");
  EXPECT_EQ(Contents(folder.File("refused/0000000002-robot-7.refused")), "neither");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.File("refused")), {}), 2);
}

}  // namespace
}  // namespace candor
