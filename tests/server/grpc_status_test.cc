// SPDX-License-Identifier: Apache-2.0
#include "server/grpc_status.h"

#include <string>

#include "gmock/gmock.h"
#include "server/error_details.h"

namespace candor {
namespace {

TEST(GrpcStatusTest, CodesKeepTheirMeaning) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus(), "id").ok());
  EXPECT_EQ(ToGrpcStatus(absl::CancelledError("x"), "id").error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(ToGrpcStatus(absl::InvalidArgumentError("x"), "id").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ToGrpcStatus(absl::DeadlineExceededError("x"), "id").error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ToGrpcStatus(absl::NotFoundError("x"), "id").error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ToGrpcStatus(absl::ResourceExhaustedError("x"), "id").error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ToGrpcStatus(absl::FailedPreconditionError("x"), "id").error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ToGrpcStatus(absl::InternalError("x"), "id").error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ToGrpcStatus(absl::UnavailableError("x"), "id").error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ToGrpcStatus(absl::DataLossError("x"), "id").error_code(), grpc::StatusCode::DATA_LOSS);
}

TEST(GrpcStatusTest, MessagesAreOneLineOfAtMost1024Bytes) {
  EXPECT_EQ(ToGrpcStatus(absl::InternalError("a\nb"), "id").error_message(), "a b");
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(std::string(5000, 'x')), "id").error_message(), std::string(1024, 'x'));
}

TEST(GrpcStatusTest, AnErrorCarriesItsDetails) {
  const absl::Status status = absl::NotFoundError("x");
  EXPECT_EQ(ToGrpcStatus(status, "id").error_details(), SerializeErrorDetails(status, "id"));
  EXPECT_EQ(ToGrpcStatus(absl::OkStatus(), "id").error_details(), "");
}

}  // namespace
}  // namespace candor
