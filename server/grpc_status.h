// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace candor {

// The same code; the message on one line, in valid UTF-8 and at most 1,024 bytes: it travels in a header, and the limit
// of all headers together is 8 KiB. An error carries its details of server/error_details.h.
grpc::Status ToGrpcStatus(const absl::Status& status, absl::string_view request_id);

// The same for the end of a unary call, which also tells its caller the request's id: as a header before an answer, but
// behind an error, since gRPC retries no call whose headers have come.
grpc::Status EndOfCall(grpc::ServerContextBase* context, const absl::Status& status, const std::string& request_id);

}  // namespace candor
