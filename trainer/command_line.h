// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/exit_code.h"

namespace candor {

// Runs `candor-train ARGS...`; prints results on stdout, one line per error on stderr.
ExitCode RunTrainer(int argc, const char* const* argv);

}  // namespace candor
