// SPDX-License-Identifier: Apache-2.0
//
// How a gRPC call ended, as absl::Status.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace candor {

// The details of the error become payloads, for client/error_details.h.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace candor
