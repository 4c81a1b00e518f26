// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

namespace candor {

// The same error with a code that Triton's clients expect: theirs know no RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED or
// FAILED_PRECONDITION from a server. Message and details (reason, retry delay) stay.
absl::Status ToTritonStatus(const absl::Status& status);

}  // namespace candor
