// SPDX-License-Identifier: Apache-2.0
//
// The table in exit_code.h, row by row.
#include "core/base/exit_code.h"

#include "gtest/gtest.h"

namespace candor {
namespace {

int CodeOf(absl::StatusCode code) { return static_cast<int>(ExitCodeFromStatus(absl::Status(code, "x"))); }

TEST(ExitCodeTest, FollowsTheStatus) {
  EXPECT_EQ(static_cast<int>(ExitCodeFromStatus(absl::OkStatus())), 0);
  EXPECT_EQ(CodeOf(absl::StatusCode::kUnavailable), 69);
  EXPECT_EQ(CodeOf(absl::StatusCode::kDeadlineExceeded), 69);
  EXPECT_EQ(CodeOf(absl::StatusCode::kInternal), 70);
  EXPECT_EQ(CodeOf(absl::StatusCode::kDataLoss), 74);
  EXPECT_EQ(CodeOf(absl::StatusCode::kResourceExhausted), 75);
  EXPECT_EQ(CodeOf(absl::StatusCode::kAborted), 75);
  EXPECT_EQ(CodeOf(absl::StatusCode::kCancelled), 130);
}

TEST(ExitCodeTest, IsFailureForAllOthers) {
  for (absl::StatusCode code :
       {absl::StatusCode::kUnknown, absl::StatusCode::kInvalidArgument, absl::StatusCode::kNotFound,
        absl::StatusCode::kAlreadyExists, absl::StatusCode::kPermissionDenied, absl::StatusCode::kUnauthenticated,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kOutOfRange, absl::StatusCode::kUnimplemented}) {
    EXPECT_EQ(CodeOf(code), 1) << absl::StatusCodeToString(code);
  }
}

}  // namespace
}  // namespace candor
