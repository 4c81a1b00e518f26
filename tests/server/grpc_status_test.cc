// SPDX-License-Identifier: Apache-2.0
#include "server/grpc_status.h"

#include <string>

#include "gmock/gmock.h"

namespace candor {
namespace {

std::string MessageOf(const std::string& text) { return ToGrpcStatus(absl::InternalError(text)).error_message(); }

TEST(GrpcStatusTest, CodesKeepTheirMeaning) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_EQ(ToGrpcStatus(absl::CancelledError("x")).error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(ToGrpcStatus(absl::InvalidArgumentError("x")).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ToGrpcStatus(absl::DeadlineExceededError("x")).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ToGrpcStatus(absl::NotFoundError("x")).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ToGrpcStatus(absl::ResourceExhaustedError("x")).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ToGrpcStatus(absl::FailedPreconditionError("x")).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ToGrpcStatus(absl::InternalError("x")).error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ToGrpcStatus(absl::UnavailableError("x")).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ToGrpcStatus(absl::DataLossError("x")).error_code(), grpc::StatusCode::DATA_LOSS);
}

TEST(GrpcStatusTest, ShortMessagesPassUnchanged) {
  EXPECT_EQ(MessageOf("image.raw.width: must be >= 1, got 0"), "image.raw.width: must be >= 1, got 0");
  EXPECT_EQ(MessageOf("Gr\xC3\xB6\xC3\x9F"
                      "e \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "Gr\xC3\xB6\xC3\x9F"
            "e \xE2\x82\xAC \xF0\x9F\x98\x80");
}

TEST(GrpcStatusTest, LongMessagesAreCutAt1024Bytes) {
  EXPECT_EQ(MessageOf(std::string(1024, 'x')), std::string(1024, 'x'));
  EXPECT_EQ(MessageOf(std::string(5000, 'x')), std::string(1024, 'x'));
}

TEST(GrpcStatusTest, TheCutNeverSplitsACharacter) {
  // 1,023 bytes, then a character of two: it has no room.
  EXPECT_EQ(MessageOf(std::string(1023, 'x') + "\xC3\xB6"), std::string(1023, 'x'));
  EXPECT_EQ(MessageOf(std::string(1022, 'x') + "\xC3\xB6"), std::string(1022, 'x') + "\xC3\xB6");
}

TEST(GrpcStatusTest, BytesThatAreNoUtf8BecomeQuestionMarks) {
  EXPECT_EQ(MessageOf("a\xFF"
                      "b"),
            "a?b");
  EXPECT_EQ(MessageOf("a\xC3"), "a?");               // cut character
  EXPECT_EQ(MessageOf("\xC0\x80"), "??");            // overlong NUL
  EXPECT_EQ(MessageOf("\xED\xA0\x80"), "???");       // surrogate
  EXPECT_EQ(MessageOf("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
}

TEST(GrpcStatusTest, TheMessageIsOneLine) { EXPECT_EQ(MessageOf("a\nb\r\nc"), "a b  c"); }

}  // namespace
}  // namespace candor
