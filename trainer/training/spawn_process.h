// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace candor {

struct ProcessSpec {
  std::string name;               // for people
  std::vector<std::string> argv;  // argv[0] is the program's path
  std::string log_file;           // its stdout and stderr are appended here
};

// Starts a program in a process group of its own, so that Ctrl-C on the terminal reaches only its parent, with nothing
// to read. `inherited`, if not -1, is a file descriptor that it and its children keep open (as 3). DataLoss: it cannot
// be started.
absl::StatusOr<pid_t> SpawnProcess(const ProcessSpec& process, int inherited = -1);

// What waitpid said, as an exit code: the program's own, or 128 + the number of the signal that ended it.
int ExitCodeOf(int wait_status);

// The last line of a log, of a program that failed mostly the reason; at most 500 bytes. "" if there is none.
std::string LastLine(const std::string& log_file);

}  // namespace candor
