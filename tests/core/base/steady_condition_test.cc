// SPDX-License-Identifier: Apache-2.0
#include "core/base/steady_condition.h"

#include <thread>

#include "gmock/gmock.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

TEST(SteadyConditionTest, ReturnsFalseAtItsTimeAndNotBefore) {
  absl::Mutex mu;
  SteadyCondition changed;
  const auto until = steady_clock::now() + std::chrono::milliseconds(5);
  absl::MutexLock lock(&mu);
  EXPECT_FALSE(changed.AwaitUntil(&mu, until, [] { return false; }));
  EXPECT_GE(steady_clock::now(), until);
}

TEST(SteadyConditionTest, WhatHoldsAlreadyIsNotWaitedFor) {
  absl::Mutex mu;
  SteadyCondition changed;
  absl::MutexLock lock(&mu);
  EXPECT_TRUE(changed.AwaitUntil(&mu, steady_clock::time_point::min(), [] { return true; }));
}

TEST(SteadyConditionTest, AChangeOnAnotherThreadEndsTheWait) {
  absl::Mutex mu;
  SteadyCondition changed;
  bool is_over = false;
  std::thread other([&] {
    absl::MutexLock lock(&mu);
    is_over = true;
    changed.NotifyAll();
  });
  {
    absl::MutexLock lock(&mu);
    EXPECT_TRUE(changed.AwaitUntil(&mu, steady_clock::time_point::max(), [&] { return is_over; }));
  }
  other.join();
}

}  // namespace
}  // namespace candor
