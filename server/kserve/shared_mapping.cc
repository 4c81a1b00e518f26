// SPDX-License-Identifier: Apache-2.0
//
// The handler for SIGBUS finds the mapping through the thread that touches it.
#include "server/kserve/shared_mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace candor {
namespace {

// Which mapping this thread touches; read by the signal handler, on the same thread.
thread_local std::atomic<const SharedMapping*> touched{nullptr};

struct sigaction previous_action;

}  // namespace

SharedMapping::Scope::Scope(const SharedMapping* mapping) {
  touched.store(mapping, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

SharedMapping::Scope::~Scope() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  touched.store(nullptr, std::memory_order_relaxed);
}

// Only what a signal handler may call.
void SharedMapping::OnBusError(int signal, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  const SharedMapping* mapping = touched.load(std::memory_order_relaxed);
  const auto* address = static_cast<const uint8_t*>(info->si_addr);
  const bool is_ours = mapping != nullptr && address >= mapping->begin_ && address < mapping->begin_ + mapping->size_;
  // Somebody else's fault: it comes again, to whom it came before.
  if (!is_ours || !mapping->Replace()) sigaction(signal, &previous_action, nullptr);
  errno = error;
}

// The mark comes first: a thread that finds the zeros finds the mark after its copy.
bool SharedMapping::Replace() const {
  is_cut_.store(true, std::memory_order_seq_cst);
  return mmap(begin_, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) !=
         MAP_FAILED;
}

bool SharedMapping::is_cut() const {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return is_cut_.load(std::memory_order_seq_cst);
}

absl::StatusOr<std::unique_ptr<SharedMapping>> SharedMapping::Map(int fd, uint64_t offset, uint64_t bytes,
                                                                  Rights rights) {
  static const bool has_handler = [] {
    struct sigaction action = {};
    action.sa_sigaction = OnBusError;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGBUS, &action, &previous_action) == 0;
  }();
  const uint64_t lead = offset % static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  void* begin = MAP_FAILED;
  if (has_handler) {
    const int protection = rights == Rights::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
    begin = mmap(nullptr, lead + bytes, protection, MAP_SHARED, fd, static_cast<off_t>(offset - lead));
  }
  if (begin == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot map ", bytes, " bytes of shared memory: ", std::strerror(errno)));
  }
  return absl::WrapUnique(new SharedMapping(static_cast<uint8_t*>(begin), lead, lead + bytes));
}

SharedMapping::~SharedMapping() { munmap(begin_, size_); }

}  // namespace candor
