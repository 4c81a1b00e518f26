// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "trainer/command_line.h"

namespace {

// OpenMP's idle threads spin unless told otherwise, which is many times slower as soon as another process wants the
// cores. The variable is read before main, hence the second start; where that fails, the first goes on.
void KeepIdleThreadsQuiet(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || setenv("OMP_WAIT_POLICY", "PASSIVE", 1) != 0) return;
  execv(program.c_str(), argv);
}

}  // namespace

int main(int argc, char** argv) {
  KeepIdleThreadsQuiet(argv);
  return static_cast<int>(candor::RunTrainer(argc, argv));
}
