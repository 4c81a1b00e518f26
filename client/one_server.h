// SPDX-License-Identifier: Apache-2.0
//
// Calls that are meant for one server, and are not retried: changes of its state.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/grpc_status.h"
#include "client/segmentation_client.h"

namespace candor {

// Thread-safe.
class OneServer {
 public:
  // InvalidArgument: several servers, and `reason` why that cannot be; else the errors of SegmentationClient::Create.
  static absl::StatusOr<OneServer> Open(const ClientOptions& options, absl::string_view reason);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // One call with the options' time limit.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(Stub* stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) const {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    return FromGrpc((stub->*method)(&context, request, response));
  }

 private:
  OneServer(absl::Duration timeout, std::shared_ptr<grpc::Channel> channel)
      : timeout_(timeout), channel_(std::move(channel)) {}

  absl::Duration timeout_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace candor
