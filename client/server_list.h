// SPDX-License-Identifier: Apache-2.0
//
// The addresses a client may be given, as a gRPC target.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

struct ServerTarget {
  std::string target;        // as gRPC wants it
  bool is_balanced = false;  // several servers: calls go round those that are ready
};

// "HOST:PORT" and any gRPC target are taken as they are. "A:P,B:P" (numeric addresses, all IPv4 or all IPv6 in
// brackets) and "dns:///NAME:PORT" are balanced. InvalidArgument: empty, or a list with anything else in it, named.
absl::StatusOr<ServerTarget> ParseServers(absl::string_view servers);

}  // namespace candor
