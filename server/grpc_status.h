// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace candor {

// The same code; the message on one line, in valid UTF-8 and at most 1,024 bytes: it travels in a header, and the limit
// of all headers together is 8 KiB. An error carries its details of server/error_details.h.
grpc::Status ToGrpcStatus(const absl::Status& status, absl::string_view request_id);

}  // namespace candor
