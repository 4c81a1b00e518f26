// SPDX-License-Identifier: Apache-2.0
#include "client/one_server.h"

#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/str_cat.h"
#include "client/client_security.h"
#include "client/server_list.h"
#include "core/base/status_macros.h"

namespace candor {

absl::StatusOr<OneServer> OneServer::Open(const ClientOptions& options, absl::string_view reason) {
  ASSIGN_OR_RETURN(const ServerTarget server, ParseServers(options.server));
  if (server.is_balanced) {
    return absl::InvalidArgumentError(
        absl::StrCat("server: must be one server, since ", reason, ", got ", options.server));
  }
  RETURN_IF_ERROR(SegmentationClient::Create(options).status());  // checks the rest
  ASSIGN_OR_RETURN(const ClientSecurity security, ClientSecurity::Read(options));
  grpc::ChannelArguments arguments;
  // A web proxy in the environment is not meant for the server.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return OneServer(options.timeout, security.OpenChannel(server.target, arguments));
}

}  // namespace candor
