// SPDX-License-Identifier: Apache-2.0
//
// x-request-id and traceparent.
#include "server/request_identity.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace candor {
namespace {

constexpr size_t kMaxRequestIdBytes = 64;
constexpr size_t kTraceparentBytes = 55;  // of version 00: "00-", 32, "-", 16, "-", 2

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); });
}

bool IsZero(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

}  // namespace

bool IsRequestId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isgraph(c); });
}

std::optional<TraceContext> ParseTraceparent(absl::string_view header) {
  if (header.size() < kTraceparentBytes) return std::nullopt;
  const absl::string_view version = header.substr(0, 2);
  if (!IsLowerHex(version) || version == "ff") return std::nullopt;
  if (header.size() > kTraceparentBytes && (version == "00" || header[kTraceparentBytes] != '-')) return std::nullopt;
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const absl::string_view trace_id = header.substr(3, 32);
  const absl::string_view parent_id = header.substr(36, 16);
  const absl::string_view flags = header.substr(53, 2);
  if (!IsLowerHex(trace_id) || IsZero(trace_id) || !IsLowerHex(parent_id) || IsZero(parent_id) || !IsLowerHex(flags)) {
    return std::nullopt;
  }
  return TraceContext{std::string(trace_id), std::string(parent_id)};
}

RequestIdentity IdentifyRequest(const std::vector<absl::string_view>& request_ids,
                                const std::vector<absl::string_view>& traceparents, std::string own_id) {
  RequestIdentity identity;
  const bool has_id = request_ids.size() == 1 && IsRequestId(request_ids[0]);
  identity.request_id = has_id ? std::string(request_ids[0]) : std::move(own_id);
  if (traceparents.size() == 1) identity.trace = ParseTraceparent(traceparents[0]).value_or(TraceContext{});
  return identity;
}

}  // namespace candor
