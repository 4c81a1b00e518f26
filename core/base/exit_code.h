// SPDX-License-Identifier: Apache-2.0
//
// Exit codes of every program, after sysexits(3) where it has one.
#pragma once

#include "absl/status/status.h"

namespace candor {

enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,           // wrong flags or arguments
  kUnavailable = 69,    // the server cannot be reached, or the port is taken
  kInternal = 70,       // our own fault
  kIo = 74,             // a file cannot be read or written
  kTemporary = 75,      // try again
  kConfiguration = 78,  // configuration or bundle refused
  kInterrupted = 130,   // Ctrl-C
};

// The exit code a client-side program ends with after `status`: OK 0, UNAVAILABLE and DEADLINE_EXCEEDED 69,
// INTERNAL 70, DATA_LOSS 74, RESOURCE_EXHAUSTED and ABORTED 75, CANCELLED 130, all others 1.
ExitCode ExitCodeFromStatus(const absl::Status& status);

}  // namespace candor
