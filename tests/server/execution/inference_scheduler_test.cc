// SPDX-License-Identifier: Apache-2.0
#include "server/execution/inference_scheduler.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "tests/server/execution/job_of.h"
#include "tests/server/execution/slow_segmenter.h"
#include "tests/server/execution/waiter.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::_;
using testing::HasSubstr;

constexpr KindRequest kEntropy{UncertaintyKind::kPredictiveEntropy, false, 0};

class InferenceSchedulerTest : public testing::Test {
 protected:
  InferenceJob Job(int width = 2) {
    InferenceJob job = JobOf(fake_, width);
    job.kinds = {kEntropy};
    return job;
  }

  const std::shared_ptr<FakeSegmenter> fake_ =
      std::make_shared<FakeSegmenter>(FakeModelInfo("fake", ModelKind::kSingle));
};

TEST_F(InferenceSchedulerTest, ReturnsTheSegmentersAnswer) {
  InferenceScheduler scheduler({1});
  Waiter waiter;
  ASSERT_THAT(scheduler.Submit(Job(3), waiter.done()), IsOk());
  ASSERT_THAT(waiter.outcome().result, IsOk());
  EXPECT_EQ(waiter.outcome().result->width, 3);
  EXPECT_GE(waiter.outcome().queue_ms, 0);
  EXPECT_GT(waiter.outcome().infer_ms, 0);
}

TEST_F(InferenceSchedulerTest, RunsEverythingOnOneThreadInOrder) {
  InferenceScheduler scheduler({8});
  std::thread::id loader;
  scheduler.RunAndWait([&loader] { loader = std::this_thread::get_id(); });
  Waiter first;
  Waiter second;
  ASSERT_THAT(scheduler.Submit(Job(5), first.done()), IsOk());
  ASSERT_THAT(scheduler.Submit(Job(7), second.done()), IsOk());
  EXPECT_EQ(first.thread(), loader);
  EXPECT_EQ(second.thread(), loader);
  EXPECT_NE(loader, std::this_thread::get_id());
  ASSERT_EQ(fake_->calls().size(), 2u);
  EXPECT_EQ(fake_->calls()[0].width, 5);
  EXPECT_EQ(fake_->calls()[1].width, 7);
}

TEST_F(InferenceSchedulerTest, AnIdleThreadTakesWorkAndABusyOneDoesNot) {
  InferenceScheduler scheduler({8});
  scheduler.RunAndWait([] {});
  absl::Notification begun;
  absl::Notification go_on;
  std::thread::id thread;
  // The thread may not have come back to its wait yet.
  while (!scheduler.RunIfIdle([&] {
    thread = std::this_thread::get_id();
    begun.Notify();
    go_on.WaitForNotification();
  })) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(scheduler.RunIfIdle([] { ADD_FAILURE() << "runs beside other work"; }));
  begun.WaitForNotification();
  EXPECT_FALSE(scheduler.RunIfIdle([] { ADD_FAILURE() << "runs beside other work"; }));
  Waiter waiter;
  ASSERT_THAT(scheduler.Submit(Job(), waiter.done()), IsOk());
  go_on.Notify();
  EXPECT_EQ(waiter.thread(), thread);
}

TEST_F(InferenceSchedulerTest, AThreadThatOthersAreOnTheirWayToIsNotIdle) {
  InferenceScheduler scheduler({8});
  auto own = scheduler.Reserve(*fake_, Priority::kNormal, SteadyTime::max(), false);
  auto other = scheduler.Reserve(*fake_, Priority::kNormal, SteadyTime::max(), false);
  ASSERT_THAT(own.status(), IsOk());
  ASSERT_THAT(other.status(), IsOk());
  EXPECT_FALSE(scheduler.RunIfIdle([] { ADD_FAILURE() << "would hold the other request up"; }));
  other->Release();
  absl::Notification ran;
  EXPECT_TRUE(scheduler.RunIfIdle([&ran] { ran.Notify(); }));
  ran.WaitForNotification();
}

TEST_F(InferenceSchedulerTest, AFullQueueRefusesAtOnce) {
  InferenceScheduler scheduler({1});
  fake_->Block();
  Waiter running;
  Waiter queued;
  ASSERT_THAT(scheduler.Submit(Job(), running.done()), IsOk());
  fake_->WaitForCalls(1);  // it has left the queue
  ASSERT_THAT(scheduler.Submit(Job(), queued.done()), IsOk());
  const auto never = [](const InferenceOutcome&) { ADD_FAILURE() << "a refused job was run"; };
  EXPECT_THAT(scheduler.Submit(Job(), never), HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  fake_->Release();
  EXPECT_THAT(queued.outcome().result, IsOk());
}

TEST_F(InferenceSchedulerTest, AJobThatIsLateAtItsTurnNeverReachesTheSegmenter) {
  InferenceScheduler scheduler({2});
  fake_->Block();
  Waiter running;
  Waiter late;
  ASSERT_THAT(scheduler.Submit(Job(), running.done()), IsOk());
  fake_->WaitForCalls(1);
  InferenceJob job = Job();
  job.deadline = std::chrono::steady_clock::now();  // has passed by the time the first is done
  ASSERT_THAT(scheduler.Submit(std::move(job), late.done()), IsOk());
  fake_->Release();
  EXPECT_THAT(late.outcome().result, HasStatus(absl::StatusCode::kDeadlineExceeded, _));
  EXPECT_EQ(late.outcome().infer_ms, 0);
  EXPECT_EQ(fake_->calls().size(), 1u);
}

TEST_F(InferenceSchedulerTest, AJobCancelledInTheQueueNeverReachesTheSegmenter) {
  InferenceScheduler scheduler({2});
  fake_->Block();
  Waiter running;
  Waiter cancelled;
  std::atomic<bool> gave_up{false};
  ASSERT_THAT(scheduler.Submit(Job(), running.done()), IsOk());
  fake_->WaitForCalls(1);
  InferenceJob job = Job();
  job.cancelled = [&gave_up] { return gave_up.load(); };
  ASSERT_THAT(scheduler.Submit(std::move(job), cancelled.done()), IsOk());
  gave_up = true;
  fake_->Release();
  EXPECT_THAT(cancelled.outcome().result, HasStatus(absl::StatusCode::kCancelled, _));
  EXPECT_EQ(fake_->calls().size(), 1u);
}

TEST_F(InferenceSchedulerTest, CancellationStopsARunningJob) {
  InferenceScheduler scheduler({1});
  fake_->Block();
  Waiter waiter;
  std::atomic<bool> gave_up{false};
  InferenceJob job = Job();
  job.cancelled = [&gave_up] { return gave_up.load(); };
  ASSERT_THAT(scheduler.Submit(std::move(job), waiter.done()), IsOk());
  fake_->WaitForCalls(1);
  gave_up = true;
  EXPECT_THAT(waiter.outcome().result, HasStatus(absl::StatusCode::kCancelled, _));
}

TEST_F(InferenceSchedulerTest, ADeadlineThatPassesStopsARunningJob) {
  InferenceScheduler scheduler({1});
  fake_->Block();  // for ever: only the deadline ends the call
  Waiter waiter;
  InferenceJob job = Job();
  job.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  ASSERT_THAT(scheduler.Submit(std::move(job), waiter.done()), IsOk());
  EXPECT_THAT(waiter.outcome().result, HasStatus(absl::StatusCode::kDeadlineExceeded, _));
}

TEST_F(InferenceSchedulerTest, AnExceptionIsAnInternalErrorAndTheThreadGoesOn) {
  InferenceScheduler scheduler({2});
  fake_->Throw("boom");
  Waiter thrown;
  ASSERT_THAT(scheduler.Submit(Job(), thrown.done()), IsOk());
  EXPECT_THAT(thrown.outcome().result, HasStatus(absl::StatusCode::kInternal, HasSubstr("boom")));
  bool ran = false;
  scheduler.RunAndWait([&ran] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST_F(InferenceSchedulerTest, DestructorFinishesWhatIsQueued) {
  Waiter first;
  Waiter second;
  {
    InferenceScheduler scheduler({2});
    ASSERT_THAT(scheduler.Submit(Job(), first.done()), IsOk());
    ASSERT_THAT(scheduler.Submit(Job(), second.done()), IsOk());
  }
  EXPECT_THAT(first.outcome().result, IsOk());
  EXPECT_THAT(second.outcome().result, IsOk());
}

TEST_F(InferenceSchedulerTest, PicturesOfOnePaddedSizeGoTogether) {
  InferenceScheduler scheduler({8});
  fake_->Block();
  std::vector<Waiter> waiters(6);
  const int widths[] = {2, 3, 40, 5, 41, 7};  // padded to 16 and 48
  for (int i = 0; i < 6; ++i) {
    InferenceJob job = Job(widths[i]);
    job.batching.max_batch_size = 3;
    job.keep_picture = i != 3;
    ASSERT_THAT(scheduler.Submit(std::move(job), waiters[i].done()), IsOk());
    if (i == 0) fake_->WaitForCalls(1);  // alone: the others come while it runs
  }
  fake_->Release();
  for (Waiter& waiter : waiters) EXPECT_THAT(waiter.outcome().result, IsOk());
  EXPECT_EQ(waiters[0].outcome().batch_size, 1);
  for (const int i : {1, 3, 5}) {
    EXPECT_EQ(waiters[i].outcome().batch_size, 3) << i;
    EXPECT_EQ(waiters[i].outcome().result->width, widths[i]) << "everyone has its own answer";
    EXPECT_EQ(waiters[i].outcome().picture.width(), i == 3 ? 0 : widths[i]) << "and its picture back if it wants it";
  }
  for (const int i : {2, 4}) EXPECT_EQ(waiters[i].outcome().batch_size, 2) << i;
}

TEST_F(InferenceSchedulerTest, TheFirstOfABatchWaitsForOthersWithinTheWindow) {
  InferenceScheduler scheduler({8});
  Waiter first;
  Waiter second;
  for (Waiter* waiter : {&first, &second}) {
    InferenceJob job = Job();
    job.batching = {2, std::chrono::hours(1)};  // ends when the batch is full
    ASSERT_THAT(scheduler.Submit(std::move(job), waiter->done()), IsOk());
  }
  EXPECT_EQ(first.outcome().batch_size, 2);
  EXPECT_EQ(second.outcome().batch_size, 2);
}

TEST_F(InferenceSchedulerTest, TheWindowEndsEarlyForADeadlineAndAtShutdown) {
  Waiter urgent;
  Waiter last;
  {
    InferenceScheduler scheduler({8});
    InferenceJob job = Job();
    job.batching = {2, std::chrono::hours(1)};
    job.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    ASSERT_THAT(scheduler.Submit(std::move(job), urgent.done()), IsOk());
    EXPECT_EQ(urgent.outcome().batch_size == 1, urgent.outcome().result.ok());
    InferenceJob patient = Job();
    patient.batching = {2, std::chrono::hours(1)};
    ASSERT_THAT(scheduler.Submit(std::move(patient), last.done()), IsOk());
  }
  EXPECT_THAT(last.outcome().result, IsOk());
}

TEST_F(InferenceSchedulerTest, HigherPrioritiesGoFirstThenTheOldest) {
  InferenceScheduler scheduler({8});
  fake_->Block();
  std::vector<Waiter> waiters(6);
  const Priority priorities[] = {Priority::kNormal, Priority::kIdle, Priority::kNormal,
                                 Priority::kHigh,   Priority::kLow,  Priority::kHigh};
  for (int i = 0; i < 6; ++i) {
    InferenceJob job = Job(i + 1);
    job.priority = priorities[i];
    ASSERT_THAT(scheduler.Submit(std::move(job), waiters[i].done()), IsOk());
    if (i == 0) fake_->WaitForCalls(1);
  }
  fake_->Release();
  for (Waiter& waiter : waiters) EXPECT_THAT(waiter.outcome().result, IsOk());
  std::vector<int> widths;
  for (const FakeSegmenter::Call& call : fake_->calls()) widths.push_back(call.width);
  EXPECT_THAT(widths, testing::ElementsAre(1, 4, 6, 3, 5, 2));
}

TEST_F(InferenceSchedulerTest, TheQueueIsBoundedInBytesToo) {
  InferenceScheduler scheduler({8, 30});
  fake_->Block();
  Waiter running;
  Waiter large;
  ASSERT_THAT(scheduler.Submit(Job(), running.done()), IsOk());
  fake_->WaitForCalls(1);
  ASSERT_THAT(scheduler.Submit(Job(20), large.done()), IsOk()) << "60 bytes, but nothing else waits";
  const auto never = [](const InferenceOutcome&) { ADD_FAILURE() << "a refused job was run"; };
  EXPECT_THAT(scheduler.Submit(Job(1), never),
              HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("60 bytes of pictures wait")));
  fake_->Release();
  EXPECT_THAT(large.outcome().result, IsOk());
}

// With a model that takes 40 ms a picture, measured once.
class SlowModelTest : public testing::Test {
 protected:
  SlowModelTest() {
    Waiter waiter;
    EXPECT_THAT(scheduler_.Submit(Job(SteadyTime::max()), waiter.done()), IsOk());
    EXPECT_THAT(waiter.outcome().result, IsOk());
  }

  InferenceJob Job(SteadyTime deadline) {
    InferenceJob job = JobOf(slow_);
    job.deadline = deadline;
    job.batching.max_batch_size = 2;
    return job;
  }
  // Keeps the scheduler's thread from taking jobs until `go`; returns once it does.
  std::thread HoldThread(absl::Notification* go) {
    absl::Notification is_held;
    std::thread task([this, go, &is_held] {
      scheduler_.RunAndWait([go, &is_held] {
        is_held.Notify();
        go->WaitForNotification();
      });
    });
    is_held.WaitForNotification();
    return task;
  }
  static SteadyTime In(int ms) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms); }

  const std::shared_ptr<SlowSegmenter> slow_ = std::make_shared<SlowSegmenter>(1, std::chrono::milliseconds(40));
  InferenceScheduler scheduler_{{8}};
};

TEST_F(SlowModelTest, NobodyIsPutIntoABatchThatEndsAfterItsDeadline) {
  Waiter patient;
  Waiter hurried;
  absl::Notification go;
  std::thread task = HoldThread(&go);
  ASSERT_THAT(scheduler_.Submit(Job(SteadyTime::max()), patient.done()), IsOk());
  ASSERT_THAT(scheduler_.Submit(Job(In(60)), hurried.done()), IsOk());
  go.Notify();
  task.join();
  EXPECT_THAT(patient.outcome().result, IsOk());
  EXPECT_EQ(patient.outcome().batch_size, 1);
  EXPECT_LE(hurried.outcome().batch_size, 1);
}

TEST_F(SlowModelTest, AJobThatCannotMakeItNeverReachesTheModelUntilTheEstimateIsInDoubt) {
  Waiter first;
  ASSERT_THAT(scheduler_.Submit(Job(In(5)), first.done()), IsOk());
  EXPECT_THAT(first.outcome().result, HasStatus(absl::StatusCode::kDeadlineExceeded, _));
  EXPECT_EQ(slow_->pictures(), 1);
  int tries = 0;
  while (slow_->pictures() == 1 && ++tries < 100) {
    Waiter again;
    ASSERT_THAT(scheduler_.Submit(Job(In(5)), again.done()), IsOk());
    again.outcome();
  }
  EXPECT_LT(tries, 100) << "one slow answer must not refuse the rest for ever";
}

TEST_F(SlowModelTest, ARequestIsRefusedAtOnceWhenTheWorkAheadTakesLongerThanItsDeadline) {
  absl::Notification go;
  std::thread task = HoldThread(&go);
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kNormal, In(1), false), IsOk()) << "nothing waits: let it try";
  std::vector<Waiter> waiters(3);
  for (Waiter& waiter : waiters) ASSERT_THAT(scheduler_.Submit(Job(SteadyTime::max()), waiter.done()), IsOk());
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kNormal, In(100), false).status(),
              HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("about 1")));
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kHigh, In(60), false), IsOk()) << "it would go first";
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kHigh, In(5), false).status(),
              HasStatus(absl::StatusCode::kResourceExhausted, _));
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kHigh, In(5), true), IsOk()) << "some of it will do";
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kNormal, In(60000), false), IsOk());
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kNormal, SteadyTime::max(), false), IsOk());
  go.Notify();
  task.join();
  for (Waiter& waiter : waiters) EXPECT_THAT(waiter.outcome().result, IsOk());
}

TEST_F(SlowModelTest, WorkOnItsWayToTheQueueCountsUntilItsReservationEnds) {
  absl::StatusOr<InferenceScheduler::Reservation> first =
      scheduler_.Reserve(*slow_, Priority::kNormal, SteadyTime::max(), false);
  ASSERT_THAT(first, IsOk());
  std::vector<InferenceScheduler::Reservation> more;
  for (int i = 0; i < 3; ++i) {
    absl::StatusOr<InferenceScheduler::Reservation> next =
        scheduler_.Reserve(*slow_, Priority::kNormal, SteadyTime::max(), false);
    ASSERT_THAT(next, IsOk());
    more.push_back(*std::move(next));
  }
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kNormal, In(60), false).status(),
              HasStatus(absl::StatusCode::kResourceExhausted, _));
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kHigh, In(60), false).status(), IsOk()) << "it would go first";
  more.clear();
  const InferenceScheduler::Reservation moved = *std::move(first);
  first->Release();  // no longer its to give back
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kNormal, In(60), false).status(),
              HasStatus(absl::StatusCode::kResourceExhausted, _))
      << "two pictures take longer";
  EXPECT_THAT(scheduler_.Reserve(*slow_, Priority::kNormal, In(1000), false).status(), IsOk());
}

TEST(DeviceFailureTest, IsToldOnceAndLooksLikeAServerThatIsNotThere) {
  std::vector<std::string> told;
  const auto fake = std::make_shared<FakeSegmenter>(FakeModelInfo("fake", ModelKind::kStudent));
  InferenceScheduler scheduler({8}, [&told](const absl::Status& failure) { told.emplace_back(failure.message()); });
  const auto answer = [&]() -> absl::Status {
    InferenceJob job;
    job.segmenter = fake;
    job.picture = Picture({1, 1, {1, 1, 1}});
    job.kinds = {kEntropy};
    job.cancelled = [] { return false; };
    Waiter waiter;
    EXPECT_THAT(scheduler.Submit(std::move(job), waiter.done()), IsOk());
    return waiter.outcome().result.status();
  };
  fake->FailWith(absl::InternalError("odd"));
  EXPECT_EQ(answer().code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(told.empty());
  fake->FailWith(absl::AbortedError("CUDA error: an illegal memory access"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(answer(), HasStatus(absl::StatusCode::kUnavailable, "CUDA error: an illegal memory access"));
  }
  EXPECT_THAT(told, testing::ElementsAre("CUDA error: an illegal memory access"));
}

}  // namespace
}  // namespace candor
