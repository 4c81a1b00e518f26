// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace candor {

// `status`, with how long the caller should wait before it tries again; whoever turns it into an answer passes it on.
absl::Status WithRetryAfter(absl::Status status, absl::Duration delay);

// None: the status does not say.
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

}  // namespace candor
