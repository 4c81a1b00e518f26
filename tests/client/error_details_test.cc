// SPDX-License-Identifier: Apache-2.0
#include "client/error_details.h"

#include <string>

#include "client/segmentation_client.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/client/fake_service.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

// What a client gets from a server that refuses with these details.
absl::Status Refused(const std::string& details) {
  FakeServer server([&details](const v1::SegmentRequest&, v1::SegmentResponse*) {
    return grpc::Status(grpc::RESOURCE_EXHAUSTED, "the queue is full", details);
  });
  const auto client = SegmentationClient::Create({server.address()});
  return (*client)->SegmentEncoded("x", {}).status();
}

TEST(ErrorDetailsTest, ComeWithTheStatus) {
  google::rpc::ErrorInfo error;
  error.set_reason("QUEUE_FULL");
  error.set_domain("candor");
  (*error.mutable_metadata())["request_id"] = "abc";
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  google::rpc::BadRequest bad_request;
  bad_request.add_field_violations()->set_field("image.raw");
  google::rpc::Status details;
  details.add_details()->PackFrom(error);
  details.add_details()->PackFrom(retry);
  details.add_details()->PackFrom(bad_request);
  const absl::Status status = Refused(details.SerializeAsString());
  EXPECT_THAT(status, HasStatus(absl::StatusCode::kResourceExhausted, testing::StrEq("the queue is full")));
  EXPECT_EQ(ErrorReason(status), "QUEUE_FULL");
  EXPECT_EQ(ErrorRequestId(status), "abc");
  EXPECT_EQ(RetryDelay(status), absl::Milliseconds(1500));
  EXPECT_EQ(RefusedField(status), "image.raw");
}

TEST(ErrorDetailsTest, OfAnotherServiceAreNotOurs) {
  google::rpc::ErrorInfo error;
  error.set_reason("QUEUE_FULL");
  error.set_domain("proxy.example.com");
  google::rpc::Status details;
  details.add_details()->PackFrom(error);
  const absl::Status status = Refused(details.SerializeAsString());
  EXPECT_EQ(ErrorReason(status), "");
  EXPECT_EQ(ErrorRequestId(status), "");
}

TEST(ErrorDetailsTest, MissingOrUnreadableOnesAreNone) {
  for (const char* details : {"", "\xFF\xFF\xFF"}) {
    const absl::Status status = Refused(details);
    EXPECT_THAT(status, HasStatus(absl::StatusCode::kResourceExhausted, testing::StrEq("the queue is full")));
    EXPECT_EQ(ErrorReason(status), "");
    EXPECT_EQ(RetryDelay(status), std::nullopt);
    EXPECT_EQ(RefusedField(status), "");
  }
  absl::Status odd = absl::InternalError("x");
  odd.SetPayload("type.googleapis.com/google.rpc.RetryInfo", absl::Cord("\xFF"));
  EXPECT_EQ(RetryDelay(odd), std::nullopt);
}

TEST(ErrorDetailsTest, ANegativeDelayIsNone) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(-3);
  google::rpc::Status details;
  details.add_details()->PackFrom(retry);
  EXPECT_EQ(RetryDelay(Refused(details.SerializeAsString())), absl::ZeroDuration());
}

}  // namespace
}  // namespace candor
