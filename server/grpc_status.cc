// SPDX-License-Identifier: Apache-2.0
//
// absl::Status to gRPC's.
#include "server/grpc_status.h"

#include "server/error_details.h"
#include "server/request_identity.h"
#include "server/short_line.h"

namespace candor {
namespace {

constexpr size_t kMaxMessageBytes = 1024;  // up to three times as many on the wire: bytes above ASCII are escaped

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status, absl::string_view request_id) {
  if (status.ok()) return grpc::Status::OK;
  // Both libraries number the codes of google.rpc.Code.
  return {static_cast<grpc::StatusCode>(status.code()), ShortLine(status.message(), kMaxMessageBytes),
          SerializeErrorDetails(status, request_id)};
}

grpc::Status EndOfCall(grpc::ServerContextBase* context, const absl::Status& status, const std::string& request_id) {
  if (status.ok()) {
    context->AddInitialMetadata(kRequestIdHeader, request_id);
  } else {
    context->AddTrailingMetadata(kRequestIdHeader, request_id);
  }
  return ToGrpcStatus(status, request_id);
}

}  // namespace candor
