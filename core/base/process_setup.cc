// SPDX-License-Identifier: Apache-2.0
#include "core/base/process_setup.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/synchronization/mutex.h"

namespace candor {

void RestartWithOpenMpSetting(const char* variable, const char* value, char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  // A loader that was told to run us would take our flags for its own.
  if (error || program.filename() != fs::path(argv[0]).filename()) return;
  if (setenv(variable, value, /*overwrite=*/1) != 0) return;
  execv(program.c_str(), argv);
  unsetenv(variable);
}

// glibc maps and unmaps each large block by default, and faulting fresh pages in costs more than the arithmetic on
// them. Tensors have a pool of their own (core/nn/pooled_allocator.h).
void ConfigureAllocator() {
  constexpr int kKeptBytes = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kKeptBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_ARENA_MAX, 1);
}

// Debian builds Abseil with it: each lock of any mutex, gRPC's included, then takes a global one and keeps a graph.
void DisableDeadlockDetection() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

// gRPC 1.51 stops accepting for good once it has run out of file descriptors.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace candor
