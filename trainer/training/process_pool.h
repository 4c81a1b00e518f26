// SPDX-License-Identifier: Apache-2.0
//
// Runs programs side by side on this machine: the local form of a job array.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "trainer/training/spawn_process.h"

namespace candor {

struct PoolOptions {
  int at_most = 1;                       // processes at once, >= 1
  int attempts = 3;                      // of one process that fails; it alone is started again
  std::function<bool()> stop_requested;  // not null
  // Told about each start, end and new attempt, and every half second with an empty text.
  std::function<void(const std::string& text)> on_change;  // may be null
};

// Runs all to their end, in order of the list as places become free. Exit 0 is done; 75 is started again, uncounted; 2
// and 78 fail at once; all else is started again until `attempts` are used up. The others go on when one has failed.
// Aborted: stop was requested; every process got SIGTERM and has ended. FailedPrecondition (78) or Unknown: some
// failed, naming each with its exit, its log file and what it said last. DataLoss: a log file cannot be written.
absl::Status RunProcesses(const std::vector<ProcessSpec>& processes, const PoolOptions& options);

}  // namespace candor
