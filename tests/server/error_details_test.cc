// SPDX-License-Identifier: Apache-2.0
#include "server/error_details.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace candor {
namespace {

google::rpc::Status DetailsOf(const absl::Status& status, absl::string_view request_id = "r1") {
  google::rpc::Status parsed;
  EXPECT_TRUE(parsed.ParseFromString(SerializeErrorDetails(status, request_id)));
  return parsed;
}

// The detail of this type; the number of them has to be `count`.
template <typename Detail>
Detail Only(const google::rpc::Status& status, int count = 1) {
  Detail found;
  int seen = 0;
  for (const auto& any : status.details()) seen += any.UnpackTo(&found) ? 1 : 0;
  EXPECT_EQ(seen, count) << Detail::descriptor()->full_name();
  return found;
}

TEST(ErrorDetailsTest, EveryErrorHasAReasonOurDomainAndTheRequestsId) {
  const google::rpc::Status details = DetailsOf(absl::InternalError("broken"), "abc-1");
  EXPECT_EQ(details.code(), 13);  // google.rpc.Code.INTERNAL
  EXPECT_EQ(details.message(), "broken");
  EXPECT_EQ(details.details_size(), 1);
  const auto info = Only<google::rpc::ErrorInfo>(details);
  EXPECT_EQ(info.reason(), "INTERNAL");
  EXPECT_EQ(info.domain(), "candor");
  EXPECT_EQ(info.metadata().at("request_id"), "abc-1");
}

TEST(ErrorDetailsTest, AReasonReplacesTheCodesName) {
  const auto info = Only<google::rpc::ErrorInfo>(DetailsOf(WithReason(absl::UnavailableError("x"), kShuttingDown), ""));
  EXPECT_EQ(info.reason(), "SHUTTING_DOWN");
  EXPECT_EQ(info.domain(), "candor");
  EXPECT_TRUE(info.metadata().empty());
}

TEST(ErrorDetailsTest, ARefusedFieldIsNamed) {
  const auto bad = Only<google::rpc::BadRequest>(
      DetailsOf(absl::InvalidArgumentError("uncertainty[0].threshold: must be finite and >= 0, got -1")));
  ASSERT_EQ(bad.field_violations_size(), 1);
  EXPECT_EQ(bad.field_violations(0).field(), "uncertainty[0].threshold");
  EXPECT_EQ(bad.field_violations(0).description(), "must be finite and >= 0, got -1");
}

TEST(ErrorDetailsTest, WhatIsNotAFieldsPathIsNoField) {
  for (const char* message : {"no colon", "Upper: x", "two words: x", ": x", "field:x", "", "field"}) {
    Only<google::rpc::BadRequest>(DetailsOf(absl::InvalidArgumentError(message)), 0);
  }
  Only<google::rpc::BadRequest>(DetailsOf(absl::NotFoundError("model: no such")), 0);
}

TEST(ErrorDetailsTest, ARetryDelayKeepsItsNanoseconds) {
  const absl::Status full = absl::ResourceExhaustedError("full");
  auto delay =
      Only<google::rpc::RetryInfo>(DetailsOf(WithRetryDelay(full, absl::Nanoseconds(2'000'000'003)))).retry_delay();
  EXPECT_EQ(delay.seconds(), 2);
  EXPECT_EQ(delay.nanos(), 3);
  delay = Only<google::rpc::RetryInfo>(DetailsOf(WithRetryDelay(full, absl::Seconds(-5)))).retry_delay();
  EXPECT_EQ(delay.seconds(), 0);
  EXPECT_EQ(delay.nanos(), 0);
}

TEST(ErrorDetailsTest, AResourceHasTypeAndName) {
  const auto resource = Only<google::rpc::ResourceInfo>(
      DetailsOf(WithResource(absl::NotFoundError("model: no"), "candor.v1.Model", "night")));
  EXPECT_EQ(resource.resource_type(), "candor.v1.Model");
  EXPECT_EQ(resource.resource_name(), "night");
}

TEST(ErrorDetailsTest, AllOfThemTogether) {
  const absl::Status status =
      WithResource(WithRetryDelay(WithReason(absl::InvalidArgumentError("field: x"), "R"), absl::Seconds(1)), "t", "n");
  EXPECT_EQ(DetailsOf(status).details_size(), 4);
}

TEST(ErrorDetailsTest, OkStaysOk) {
  EXPECT_TRUE(WithReason(absl::OkStatus(), "R").ok());
  EXPECT_TRUE(WithRetryDelay(absl::OkStatus(), absl::Seconds(1)).ok());
}

TEST(ErrorDetailsTest, HoweverLongTheTextsItStaysSmallAndReadable) {
  const std::string noise(100'000, '\xFF');  // not UTF-8
  const absl::Status status = WithResource(
      WithRetryDelay(WithReason(absl::InvalidArgumentError(absl::StrCat(std::string(50'000, 'f'), ": ", noise)),
                                std::string(63, 'R')),
                     absl::Hours(1000)),
      "candor.v1.Model", noise);
  EXPECT_LE(SerializeErrorDetails(status, std::string(64, 'i')).size(), 2600u);
  EXPECT_EQ(DetailsOf(status).details_size(), 4);
}

}  // namespace
}  // namespace candor
