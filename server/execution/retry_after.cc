// SPDX-License-Identifier: Apache-2.0
#include "server/execution/retry_after.h"

#include <string>

#include "absl/strings/cord.h"

namespace candor {
namespace {

constexpr char kPayload[] = "candor/retry-after";  // absl::FormatDuration's text

}  // namespace

absl::Status WithRetryAfter(absl::Status status, absl::Duration delay) {
  status.SetPayload(kPayload, absl::Cord(absl::FormatDuration(delay)));
  return status;
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  absl::Duration delay;
  if (!payload.has_value() || !absl::ParseDuration(std::string(*payload), &delay)) return std::nullopt;
  return delay;
}

}  // namespace candor
