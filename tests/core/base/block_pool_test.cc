// SPDX-License-Identifier: Apache-2.0
#include "core/base/block_pool.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <new>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/sanitized.h"

namespace candor {
namespace {

constexpr size_t kMiB = 1 << 20;

TEST(BlockPoolTest, GivesTheSameBlockToTheNextRequestOfItsSize) {
  BlockPool pool(16 * kMiB);
  void* first = pool.Acquire(kMiB);
  std::memset(first, 7, kMiB);
  EXPECT_TRUE(pool.Release(first));
  EXPECT_EQ(pool.idle_bytes(), kMiB);
  EXPECT_EQ(pool.Acquire(kMiB), first);
  EXPECT_EQ(pool.idle_bytes(), 0u);
  pool.Release(first);
}

TEST(BlockPoolTest, ServesALittleLessButNeverMuchLessFromALargerBlock) {
  BlockPool pool(16 * kMiB);
  void* block = pool.Acquire(10 * kMiB);
  pool.Release(block);
  EXPECT_EQ(pool.Acquire(8 * kMiB), block);  // 10 is a quarter more
  pool.Release(block);
  void* other = pool.Acquire(7 * kMiB);
  EXPECT_NE(other, block);
  pool.Release(other);
}

TEST(BlockPoolTest, BlocksInUseAreApart) {
  BlockPool pool(16 * kMiB);
  void* first = pool.Acquire(kMiB);
  void* second = pool.Acquire(kMiB);
  std::memset(first, 1, kMiB);
  std::memset(second, 2, kMiB);
  EXPECT_EQ(static_cast<char*>(first)[kMiB - 1], 1);
  EXPECT_TRUE(pool.Release(first));
  EXPECT_TRUE(pool.Release(second));
}

TEST(BlockPoolTest, GivesTheOldestIdleBlocksBackBeyondItsBound) {
  BlockPool pool(3 * kMiB);
  void* oldest = pool.Acquire(2 * kMiB);
  void* newer = pool.Acquire(kMiB);
  void* newest = pool.Acquire(kMiB);
  pool.Release(oldest);
  pool.Release(newer);
  EXPECT_EQ(pool.idle_bytes(), 3 * kMiB);
  pool.Release(newest);
  EXPECT_EQ(pool.idle_bytes(), 2 * kMiB);
}

TEST(BlockPoolTest, DoesNotTakeWhatItHasNotGiven) {
  BlockPool pool(kMiB);
  int mine = 0;
  EXPECT_FALSE(pool.Release(&mine));
  void* block = pool.Acquire(1);
  EXPECT_TRUE(pool.Release(block));
  EXPECT_FALSE(pool.Release(block));
}

TEST(BlockPoolTest, OutOfMemoryIsBadAlloc) {
  BlockPool pool(kMiB);
  EXPECT_THROW(pool.Acquire(size_t{1} << 60), std::bad_alloc);
}

// This process may have no more than `bytes` of address space beyond what it has, as long as the object lives.
class AddressSpaceLimit {
 public:
  explicit AddressSpaceLimit(size_t bytes) {
    getrlimit(RLIMIT_AS, &old_);
    size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlimit limit = {pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)) + bytes, old_.rlim_max};
    setrlimit(RLIMIT_AS, &limit);
  }
  ~AddressSpaceLimit() { setrlimit(RLIMIT_AS, &old_); }
  AddressSpaceLimit(const AddressSpaceLimit&) = delete;
  AddressSpaceLimit& operator=(const AddressSpaceLimit&) = delete;

 private:
  rlimit old_{};
};

TEST(BlockPoolTest, IdleBlocksAreGivenBackBeforeMemoryRunsOut) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer has reserved address space of its own";
  BlockPool pool(1024 * kMiB);
  const AddressSpaceLimit limit(400 * kMiB);
  void* large = pool.Acquire(300 * kMiB);
  pool.Release(large);
  void* other = pool.Acquire(200 * kMiB);  // too small for the idle block, too large beside it
  EXPECT_EQ(pool.idle_bytes(), 0u);
  EXPECT_THROW(pool.Acquire(300 * kMiB), std::bad_alloc) << "what is in use stays";
  EXPECT_TRUE(pool.Release(other));
}

TEST(BlockPoolTest, DropsWhatIsIdleWhenToldTo) {
  BlockPool pool(16 * kMiB);
  void* kept = pool.Acquire(kMiB);
  pool.Release(pool.Acquire(2 * kMiB));
  pool.DropIdle();
  EXPECT_EQ(pool.idle_bytes(), 0u);
  EXPECT_TRUE(pool.Release(kept));
}

TEST(BlockPoolTest, ServesSeveralThreads) {
  BlockPool pool(4 * kMiB);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 50; ++i) {
        auto* block = static_cast<char*>(pool.Acquire((i % 3 + 1) * kMiB / 4));
        block[0] = static_cast<char>(t);
        EXPECT_EQ(block[0], t);
        EXPECT_TRUE(pool.Release(block));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(pool.idle_bytes(), 4 * kMiB);
}

}  // namespace
}  // namespace candor
