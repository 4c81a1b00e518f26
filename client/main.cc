// SPDX-License-Identifier: Apache-2.0
//
// The `candor` program.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "client/cli/command_line.h"
#include "core/base/process_setup.h"

namespace {

// Ends at once, whatever call is in flight. Files are written whole or not at all, so there is nothing to undo.
void ExitInterrupted(int /*signal*/) { _exit(static_cast<int>(candor::ExitCode::kInterrupted)); }

}  // namespace

int main(int argc, char** argv) {
  candor::ConfigureAllocator();
  candor::DisableDeadlockDetection();
  std::signal(SIGINT, ExitInterrupted);
  const char* no_colour = std::getenv("NO_COLOR");
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const candor::Console console{std::cin, std::cout, std::cerr, terminal,
                                terminal && (no_colour == nullptr || *no_colour == '\0')};
  try {
    return static_cast<int>(candor::RunCandor(argc, argv, console));
  } catch (const std::exception& error) {
    std::cerr << "candor: " << error.what() << "\n";
    return static_cast<int>(candor::ExitCode::kInternal);
  }
}
