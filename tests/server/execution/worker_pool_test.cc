// SPDX-License-Identifier: Apache-2.0
#include "server/execution/worker_pool.h"

#include <atomic>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"

namespace candor {
namespace {

TEST(WorkerPoolTest, DestructorRunsWhatIsQueued) {
  std::atomic<int> runs{0};
  {
    WorkerPool pool(2);
    for (int i = 0; i < 1000; ++i) pool.Submit([&runs] { ++runs; });
  }
  EXPECT_EQ(runs, 1000);
}

TEST(WorkerPoolTest, RunsAsManyTasksAtOnceAsItHasThreads) {
  absl::BlockingCounter met(3);
  absl::Notification everybody_is_here;
  WorkerPool pool(3);  // joins before the two above are gone
  // Each task waits for the other two: with fewer threads this would never end.
  for (int i = 0; i < 3; ++i) {
    pool.Submit([&] {
      met.DecrementCount();
      everybody_is_here.WaitForNotification();
    });
  }
  met.Wait();
  everybody_is_here.Notify();
}

TEST(WorkerPoolTest, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    WorkerPool pool(1);
    for (int i = 0; i < 4; ++i) pool.Submit([&order, i] { order.push_back(i); });
  }
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3));
}

TEST(WorkerPoolTest, TasksMaySubmitTasks) {
  absl::Notification done;
  WorkerPool pool(1);
  pool.Submit([&] { pool.Submit([&done] { done.Notify(); }); });
  done.WaitForNotification();
}

}  // namespace
}  // namespace candor
