// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/report_status.h"

#include <iostream>

namespace candor {

ExitCode ReportStatus(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  std::cerr << "candor-train: " << status.message() << "\n";
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kDataLoss:
      return ExitCode::kIo;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
      return ExitCode::kConfiguration;
    default:
      return ExitCodeFromStatus(status);
  }
}

}  // namespace candor
