// SPDX-License-Identifier: Apache-2.0
//
// Lists become gRPC's own "ipv4:" and "ipv6:" targets, which take numeric addresses only.
#include "client/server_list.h"

#include <arpa/inet.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace candor {
namespace {

// AF_INET or AF_INET6 of "ADDRESS:PORT" or "[ADDRESS]:PORT"; 0: neither.
int FamilyOf(absl::string_view server) {
  const size_t colon = server.rfind(':');
  if (colon == absl::string_view::npos) return 0;
  int port = 0;
  if (!absl::SimpleAtoi(server.substr(colon + 1), &port) || port < 1 || port > 65535) return 0;
  absl::string_view host = server.substr(0, colon);
  const bool has_brackets = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  in6_addr address{};
  const int family = has_brackets ? AF_INET6 : AF_INET;
  return inet_pton(family, std::string(host).c_str(), &address) == 1 ? family : 0;
}

}  // namespace

absl::StatusOr<ServerTarget> ParseServers(absl::string_view servers) {
  if (servers.empty()) return absl::InvalidArgumentError("server: must be HOST:PORT, got an empty string");
  const bool has_scheme = absl::StrContains(servers, ":///") || absl::StartsWith(servers, "ipv4:") ||
                          absl::StartsWith(servers, "ipv6:") || absl::StartsWith(servers, "unix:");
  if (has_scheme || !absl::StrContains(servers, ',')) {
    return ServerTarget{std::string(servers), absl::StartsWith(servers, "dns:///")};
  }
  std::vector<std::string> list = absl::StrSplit(servers, ',');
  for (std::string& server : list) absl::StripAsciiWhitespace(&server);
  const int family = FamilyOf(list[0]);
  for (const std::string& server : list) {
    if (FamilyOf(server) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("server: a list must have numeric addresses, as 10.0.0.1:8500 or [::1]:8500 (a name with "
                       "several addresses is "
                       "dns:///NAME:PORT), got \"",
                       server, "\""));
    }
    if (FamilyOf(server) != family) {
      return absl::InvalidArgumentError(
          absl::StrCat("server: a list must be all IPv4 or all IPv6, got \"", list[0], "\" and \"", server, "\""));
    }
  }
  return ServerTarget{absl::StrCat(family == AF_INET ? "ipv4:" : "ipv6:", absl::StrJoin(list, ",")), true};
}

}  // namespace candor
