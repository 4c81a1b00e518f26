// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace candor {

enum class PortProtocol { kPlainText, kTls };

// Tells whether a port still accepts connections and speaks on them, by one new TCP connection. On a plain port the
// peer has to answer HTTP/2's preface with its SETTINGS frame; on a TLS port it has to get as far as its certificate,
// which it shows before it asks for the caller's: so this needs neither a trusted authority nor a client certificate.
//
// Each step (connect, write, read) may take `timeout`. Unavailable: what went wrong.
absl::Status ProbePort(const std::string& host, int port, PortProtocol protocol, absl::Duration timeout);

}  // namespace candor
