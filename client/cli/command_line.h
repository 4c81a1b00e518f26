// SPDX-License-Identifier: Apache-2.0
//
// The `candor` program as a function.
#pragma once

#include "client/cli/console.h"
#include "core/base/exit_code.h"

namespace candor {

// Runs the subcommand that `argv` (program name first) asks for and returns the exit code. Wrong arguments are one line
// on `console.err` and kUsage; data that cannot be written to `console.out` is kIo.
ExitCode RunCandor(int argc, const char* const* argv, const Console& console);

}  // namespace candor
