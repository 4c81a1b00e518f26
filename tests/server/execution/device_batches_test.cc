// SPDX-License-Identifier: Apache-2.0
//
// The scheduler with a model whose device works by itself.
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "server/execution/inference_scheduler.h"
#include "tests/server/execution/device_segmenter.h"
#include "tests/server/execution/job_of.h"
#include "tests/server/execution/waiter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using std::chrono::steady_clock;
using testing::_;
using testing::ElementsAre;
using testing::SizeIs;

// While the device works.
void SpinFor(std::chrono::duration<double, std::milli> time) {
  const auto start = steady_clock::now();
  while (steady_clock::now() - start < time) std::this_thread::yield();
}

TEST(DeviceBatchesTest, TheNextOneIsStartedWhileTheDeviceWorksAndNoMore) {
  const auto device = std::make_shared<DeviceSegmenter>();
  InferenceScheduler scheduler({8});
  std::vector<Waiter> waiters(3);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(scheduler.Submit(JobOf(device, i + 1), waiters[i].done()), IsOk());
  device->WaitForStarts(2);
  EXPECT_EQ(scheduler.queued(), 1);
  device->End(1);
  EXPECT_EQ(waiters[0].outcome().result->width, 1);
  device->WaitForStarts(3);
  device->End(3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(waiters[i].outcome().result->width, i + 1);
  EXPECT_THAT(device->starters(), SizeIs(1));
}

TEST(DeviceBatchesTest, WhatFailsTogetherRunsAgainOneByOneOnTheThreadThatComputes) {
  const auto device = std::make_shared<DeviceSegmenter>();
  InferenceScheduler scheduler({8});
  std::vector<Waiter> waiters(2);
  const int widths[] = {12, 13};
  for (int i = 0; i < 2; ++i) {
    InferenceJob job = JobOf(device, widths[i]);
    job.batching = {2, std::chrono::hours(1)};  // ends when the batch is full
    ASSERT_THAT(scheduler.Submit(std::move(job), waiters[i].done()), IsOk());
  }
  device->End(3);
  ASSERT_THAT(waiters[0].outcome().result, IsOk());
  EXPECT_EQ(waiters[0].outcome().result->width, 12);
  EXPECT_THAT(waiters[1].outcome().result, HasStatus(absl::StatusCode::kInternal, "NON_FINITE_OUTPUT"));
  EXPECT_EQ(device->starts(), 3);
  EXPECT_THAT(device->starters(), SizeIs(1));
}

TEST(DeviceBatchesTest, AnEndingSchedulerFinishesWhatADeviceWorksOn) {
  const auto device = std::make_shared<DeviceSegmenter>();
  std::vector<Waiter> waiters(3);
  std::thread work;
  {
    InferenceScheduler scheduler({8});
    for (Waiter& waiter : waiters) ASSERT_THAT(scheduler.Submit(JobOf(device), waiter.done()), IsOk());
    device->WaitForStarts(2);
    work = std::thread([&device] { device->End(3); });
  }
  work.join();
  for (Waiter& waiter : waiters) EXPECT_THAT(waiter.outcome().result, IsOk());
}

TEST(DeviceBatchesTest, ThreadsWithABusyDeviceTakeNoOtherWork) {
  const auto device = std::make_shared<DeviceSegmenter>();
  InferenceScheduler scheduler({8});
  Waiter waiter;
  ASSERT_THAT(scheduler.Submit(JobOf(device), waiter.done()), IsOk());
  device->WaitForStarts(1);
  EXPECT_FALSE(scheduler.RunIfIdle([] { ADD_FAILURE() << "runs beside other work"; }));
  bool has_loaded = false;
  scheduler.RunAndWait([&has_loaded] { has_loaded = true; });
  EXPECT_TRUE(has_loaded) << "but models load meanwhile";
  device->End(1);
  EXPECT_THAT(waiter.outcome().result, IsOk());
}

TEST(DeviceBatchesTest, ABatchIsTimedFromTheEndOfTheOneBefore) {
  const auto device = std::make_shared<DeviceSegmenter>();
  InferenceScheduler scheduler({8});
  std::vector<Waiter> waiters(2);
  for (Waiter& waiter : waiters) ASSERT_THAT(scheduler.Submit(JobOf(device), waiter.done()), IsOk());
  device->WaitForStarts(2);
  SpinFor(std::chrono::milliseconds(20));
  const auto first_ends = steady_clock::now();
  device->End(1);
  EXPECT_THAT(waiters[0].outcome().result, IsOk());
  device->End(2);
  EXPECT_THAT(waiters[1].outcome().result, IsOk());
  const std::chrono::duration<double, std::milli> since = steady_clock::now() - first_ends;
  EXPECT_GE(waiters[0].outcome().infer_ms, 20);
  EXPECT_GE(waiters[1].outcome().queue_ms, 20);
  EXPECT_LE(waiters[1].outcome().infer_ms, since.count());
}

TEST(DeviceBatchesTest, IdleWorkComesWhenTheDeviceHasNothingElse) {
  const auto device = std::make_shared<DeviceSegmenter>();
  InferenceScheduler scheduler({8});
  std::vector<Waiter> waiters(3);
  const Priority priorities[] = {Priority::kNormal, Priority::kIdle, Priority::kNormal};
  for (int i = 0; i < 3; ++i) {
    InferenceJob job = JobOf(device, i + 1);
    job.priority = priorities[i];
    ASSERT_THAT(scheduler.Submit(std::move(job), waiters[i].done()), IsOk());
    if (i == 0) device->WaitForStarts(1);
  }
  device->End(3);
  for (Waiter& waiter : waiters) EXPECT_THAT(waiter.outcome().result, IsOk());
  EXPECT_THAT(device->first_widths(), ElementsAre(1, 3, 2));
}

TEST(DeviceBatchesTest, AnOverdueBatchDoesNotMakeTheNextOneLookLate) {
  const auto device = std::make_shared<DeviceSegmenter>();
  InferenceScheduler scheduler({8});
  std::vector<Waiter> waiters(3);
  ASSERT_THAT(scheduler.Submit(JobOf(device), waiters[0].done()), IsOk());
  device->WaitForStarts(1);
  SpinFor(std::chrono::milliseconds(20));
  device->End(1);
  const std::chrono::duration<double, std::milli> expected(waiters[0].outcome().infer_ms);
  // Twenty times as long as expected. It fails, so that its time is not learned.
  ASSERT_THAT(scheduler.Submit(JobOf(device, 13), waiters[1].done()), IsOk());
  device->WaitForStarts(2);
  SpinFor(20 * expected);
  ASSERT_THAT(scheduler.Submit(JobOf(device), waiters[2].done()), IsOk());
  device->WaitForStarts(3);
  device->End(2);
  EXPECT_THAT(waiters[1].outcome().result, HasStatus(absl::StatusCode::kInternal, _));
  // The third takes as long as expected, the fourth is on its way, and the fifth has the time of ten.
  const auto fourth = scheduler.Reserve(*device, Priority::kNormal, SteadyTime::max(), false);
  const SteadyTime deadline = steady_clock::now() + std::chrono::duration_cast<SteadyDuration>(10 * expected);
  EXPECT_THAT(scheduler.Reserve(*device, Priority::kNormal, deadline, false), IsOk());
  device->End(3);
  EXPECT_THAT(waiters[2].outcome().result, IsOk());
}

TEST(DeviceBatchesTest, AFailureForGoodIsToldOnce) {
  const auto device = std::make_shared<DeviceSegmenter>(absl::AbortedError("device cuda: gone"));
  std::vector<std::string> told;
  std::vector<Waiter> waiters(2);
  {
    InferenceScheduler scheduler({8}, [&told](const absl::Status& failure) { told.emplace_back(failure.message()); });
    for (Waiter& waiter : waiters) ASSERT_THAT(scheduler.Submit(JobOf(device, 13), waiter.done()), IsOk());
    device->WaitForStarts(2);
    device->End(2);
  }
  for (Waiter& waiter : waiters) {
    EXPECT_THAT(waiter.outcome().result, HasStatus(absl::StatusCode::kUnavailable, _));
  }
  EXPECT_THAT(told, ElementsAre("device cuda: gone"));
}

}  // namespace
}  // namespace candor
