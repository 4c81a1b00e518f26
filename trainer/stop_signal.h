// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/exit_code.h"

namespace candor {

// From now on SIGTERM and SIGINT are only noted; a second one ends the process at once.
void CatchStopSignals();

// Whether one came. Async-signal-safe, any thread.
bool StopRequested();

// How a program ends that stopped in good order: kInterrupted after SIGINT, else kTemporary: start it again, and it
// goes on.
ExitCode StopExitCode();

}  // namespace candor
