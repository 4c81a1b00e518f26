// SPDX-License-Identifier: Apache-2.0
#include "server/kserve/triton_status.h"

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "server/error_details.h"

namespace candor {
namespace {

absl::StatusCode TritonCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return absl::StatusCode::kUnavailable;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return absl::StatusCode::kInvalidArgument;
    default:
      return code;
  }
}

}  // namespace

absl::Status ToTritonStatus(const absl::Status& status) {
  const absl::StatusCode code = TritonCode(status.code());
  if (code == status.code()) return status;
  absl::Status result(code, status.message());
  status.ForEachPayload(
      [&result](absl::string_view type, const absl::Cord& payload) { result.SetPayload(type, payload); });
  return WithReason(result, ReasonOf(status));
}

}  // namespace candor
