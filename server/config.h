// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "candor/v1/config.pb.h"
#include "server/execution/inference_job.h"
#include "server/flags.h"

namespace candor {

// The configuration in effect: the file (if the flags name one), then the flags, then the defaults, all checked.
// NotFound or InvalidArgument in one line; the message begins with the file's place or the field's path.
absl::StatusOr<v1::ServerConfig> MakeServerConfig(const ServerFlags& flags);

// Sets every field that is unset and has a default. `threads` and `default_model` keep their "find out" values.
void FillServerConfigDefaults(v1::ServerConfig* config);

// Checks all fields of a filled configuration, without touching the disk or the network. InvalidArgument:
// "max_pixels: must be in [1, 268435456], got 0".
absl::Status ValidateServerConfig(const v1::ServerConfig& config);

struct HostPort {
  std::string host;  // an IPv6 address keeps its brackets
  int port = 0;      // 0 to 65535
};

// InvalidArgument unless HOST:PORT or [IPV6]:PORT.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

// Whether only this machine reaches the address: 127.0.0.0/8, [::1] or localhost.
bool IsLoopback(const HostPort& address);

// `metrics_listen` of a server without metrics.
inline constexpr char kMetricsOff[] = "off";

// Of a model on `device` ("cpu" or "cuda"), with the defaults for it.
Batching BatchingOf(const v1::ModelConfig& model, absl::string_view device);

}  // namespace candor
