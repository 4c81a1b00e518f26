// SPDX-License-Identifier: Apache-2.0
//
// Which request this is, for logs, errors and traces: what its caller said in the metadata, if that is well formed.
// Pure functions, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace candor {

inline constexpr char kRequestIdHeader[] = "x-request-id";
inline constexpr char kTraceparentHeader[] = "traceparent";

// 1 to 64 visible ASCII characters, no blanks.
bool IsRequestId(absl::string_view text);

// The caller's place in a trace.
struct TraceContext {
  std::string trace_id;   // 32 lower-case hex digits, not all zero
  std::string parent_id;  // 16 of them, not all zero: the caller's span
};

// By https://www.w3.org/TR/trace-context/ section 3.2; nothing if malformed. Versions after 00 may have more at the
// end.
std::optional<TraceContext> ParseTraceparent(absl::string_view header);

struct RequestIdentity {
  std::string request_id;
  TraceContext trace;  // empty strings: the caller gave none
};

// From all values of the two headers. A value that is malformed, or a header given twice, counts as not given; without
// an id of the caller's the request gets `own_id`.
RequestIdentity IdentifyRequest(const std::vector<absl::string_view>& request_ids,
                                const std::vector<absl::string_view>& traceparents, std::string own_id);

}  // namespace candor
