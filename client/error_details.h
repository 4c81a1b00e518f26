// SPDX-License-Identifier: Apache-2.0
//
// What the server says of an error besides code and message, from the statuses that the client returns. Each is a
// payload of the status, of google.rpc's types ("type.googleapis.com/google.rpc.ErrorInfo" and so on). Pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace candor {

// How long to wait before asking an overloaded server again; at least zero. Nothing: it did not say.
std::optional<absl::Duration> RetryDelay(const absl::Status& status);

// Why, e.g. "QUEUE_FULL"; empty: the error is not from candor-server itself but from something on the way, such as the
// gRPC library that found nobody listening.
std::string ErrorReason(const absl::Status& status);

// The request's id in the server's log; empty if unknown.
std::string ErrorRequestId(const absl::Status& status);

// The field of the request that was refused, e.g. "image.raw.stride"; empty if the error is of another kind.
std::string RefusedField(const absl::Status& status);

}  // namespace candor
