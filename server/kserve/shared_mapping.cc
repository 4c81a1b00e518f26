// SPDX-License-Identifier: Apache-2.0
//
// The handler for SIGBUS finds the mapping by the address, in a table that it may read at any moment, on any thread.
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

struct sigaction previous_action;

}  // namespace

SharedMapping::Range SharedMapping::ranges_[kMost];

// Only what a signal handler may call.
void SharedMapping::OnBusError(int signal, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  const bool is_fault = info->si_code > 0;  // not sent by a process
  if (!is_fault || !ReplaceAround(reinterpret_cast<uintptr_t>(info->si_addr))) {
    // Somebody else's: a fault comes again, to whom it came before.
    sigaction(signal, &previous_action, nullptr);
    if (!is_fault) raise(signal);
  }
  errno = error;
}

// The thread that has touched `address` keeps its mapping, if it is one's, alive; others may come and go meanwhile,
// which is why `begin` is read again. The mark comes first: whoever finds the zeros finds the mark afterwards.
bool SharedMapping::ReplaceAround(uintptr_t address) {
  for (Range& range : ranges_) {
    const uintptr_t begin = range.begin.load(std::memory_order_seq_cst);
    const size_t size = range.size.load(std::memory_order_seq_cst);
    if (begin == 0 || address < begin || address - begin >= size) continue;
    if (range.begin.load(std::memory_order_seq_cst) != begin) continue;
    range.is_cut.store(true, std::memory_order_seq_cst);
    return mmap(reinterpret_cast<void*>(begin), size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
  }
  return false;
}

SharedMapping::Range* SharedMapping::Claim(uint8_t* begin, size_t size) {
  constexpr uintptr_t kClaimed = 1;  // no page's address: the handler takes it for nobody's
  for (Range& range : ranges_) {
    uintptr_t free = 0;
    if (!range.begin.compare_exchange_strong(free, kClaimed)) continue;
    range.is_cut.store(false, std::memory_order_seq_cst);
    range.size.store(size, std::memory_order_seq_cst);
    range.begin.store(reinterpret_cast<uintptr_t>(begin), std::memory_order_seq_cst);
    return &range;
  }
  return nullptr;
}

bool SharedMapping::is_cut() const {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return range_->is_cut.load(std::memory_order_seq_cst);
}

bool SharedMapping::SetHandler() {
  struct sigaction action = {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO;
  return sigaction(SIGBUS, &action, &previous_action) == 0;
}

absl::StatusOr<std::unique_ptr<SharedMapping>> SharedMapping::Map(int fd, uint64_t offset, uint64_t bytes,
                                                                  Rights rights) {
  static const bool has_handler = SetHandler();
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
  Range* const range = Claim(static_cast<uint8_t*>(begin), lead + bytes);
  if (range == nullptr) {
    munmap(begin, lead + bytes);
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot map ", bytes, " bytes of shared memory: ", kMost, " pieces are mapped, the most"));
  }
  return absl::WrapUnique(new SharedMapping(static_cast<uint8_t*>(begin), lead, lead + bytes, range));
}

SharedMapping::~SharedMapping() {
  range_->begin.store(0, std::memory_order_seq_cst);  // before another mapping may have the address
  munmap(begin_, size_);
}

}  // namespace candor
