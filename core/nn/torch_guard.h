// SPDX-License-Identifier: Apache-2.0
//
// The one place that turns Torch's exceptions into absl::Status.
#pragma once

#include <type_traits>

#include "absl/status/status.h"

namespace candor {

// To be called inside a catch block. Out of memory: ResourceExhausted. A GPU's error, which stays with the process:
// Aborted. Everything else: Internal. With the first line of Torch's message and without its backtrace.
absl::Status StatusFromCurrentException();

// Runs `body`, which returns absl::Status or absl::StatusOr<T>; an exception becomes a status of the same type.
template <typename Body>
std::invoke_result_t<Body> GuardTorch(Body&& body) {
  try {
    return body();
  } catch (...) {
    return StatusFromCurrentException();
  }
}

}  // namespace candor
