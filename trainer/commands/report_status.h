// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "core/base/exit_code.h"

namespace candor {

// Prints an error as one line on stderr and turns it into candor-train's exit code: NotFound and DataLoss 74;
// InvalidArgument, FailedPrecondition and AlreadyExists 78; Unavailable 69; Internal 70; ResourceExhausted and Aborted
// 75; all others 1.
ExitCode ReportStatus(const absl::Status& status);

}  // namespace candor
