// SPDX-License-Identifier: Apache-2.0
//
// What a program needs to know of an error besides its code: google.rpc's error details, carried as payloads of an
// absl::Status (type URL "type.googleapis.com/google.rpc.X", the serialised message) until they become trailers. Pure
// functions, thread-safe. A status that is OK stays as it is.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace candor {

inline constexpr char kErrorDomain[] = "candor";

// Reasons that say more than the code; any other error has its code's name.
inline constexpr char kQueueFull[] = "QUEUE_FULL";
inline constexpr char kWouldBeLate[] = "WOULD_BE_LATE";  // what waits already takes longer than the deadline
inline constexpr char kTooManyStreams[] = "TOO_MANY_STREAMS";
inline constexpr char kShuttingDown[] = "SHUTTING_DOWN";
inline constexpr char kModelNotFound[] = "MODEL_NOT_FOUND";
inline constexpr char kKindNotAvailable[] = "UNCERTAINTY_KIND_NOT_AVAILABLE";
inline constexpr char kImageRefused[] = "IMAGE_REFUSED";  // damaged, too large, or pixels that do not add up
inline constexpr char kModelDamaged[] = "MODEL_DAMAGED";  // files that differ from model.json, or another known answer
inline constexpr char kModelRefused[] = "MODEL_REFUSED";  // a bundle that breaks its format or this server's limits
inline constexpr char kChangeUnderWay[] = "CHANGE_UNDER_WAY";

// Why, in UPPER_SNAKE_CASE, at most 63 characters: programs compare it. Without one it is the code's name.
absl::Status WithReason(absl::Status status, absl::string_view reason);

// How long to wait before asking again; below zero counts as zero.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);

// What the two above said. The code's name, and none, where they did not.
std::string ReasonOf(const absl::Status& status);
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

// What there is none of: "candor.v1.Model", "night".
absl::Status WithResource(absl::Status status, absl::string_view type, absl::string_view name);

// The serialised google.rpc.Status of an error: code, message, ErrorInfo (reason, domain, `request_id` unless empty)
// and the payloads above; for INVALID_ARGUMENT whose message begins with a field's path and ": " also BadRequest. At
// most 2,600 bytes, however long the texts: all trailers together have 8 KiB.
std::string SerializeErrorDetails(const absl::Status& status, absl::string_view request_id);

}  // namespace candor
