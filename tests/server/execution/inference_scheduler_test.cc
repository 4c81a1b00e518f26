// SPDX-License-Identifier: Apache-2.0
#include "server/execution/inference_executor.h"

#include <atomic>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::_;
using testing::HasSubstr;

constexpr KindRequest kEntropy{UncertaintyKind::kPredictiveEntropy, false, 0};

// Collects one outcome.
class Waiter {
 public:
  InferenceExecutor::Done done() {
    return [this](InferenceOutcome outcome) {
      thread_ = std::this_thread::get_id();
      outcome_ = std::move(outcome);
      finished_.Notify();
    };
  }
  const InferenceOutcome& outcome() {
    finished_.WaitForNotification();
    return outcome_;
  }
  std::thread::id thread() {
    finished_.WaitForNotification();
    return thread_;
  }

 private:
  InferenceOutcome outcome_;
  std::thread::id thread_;
  absl::Notification finished_;
};

class InferenceExecutorTest : public testing::Test {
 protected:
  InferenceJob Job(int width = 2) {
    InferenceJob job;
    job.segmenter = &fake_;
    job.image = {width, 1, std::vector<uint8_t>(static_cast<size_t>(width) * 3, 1)};
    job.kinds = {kEntropy};
    job.cancelled = [] { return false; };
    return job;
  }

  FakeSegmenter fake_{FakeModelInfo("fake", ModelKind::kSingle)};
};

TEST_F(InferenceExecutorTest, ReturnsTheSegmentersAnswer) {
  InferenceExecutor executor(1);
  Waiter waiter;
  ASSERT_THAT(executor.Submit(Job(3), waiter.done()), IsOk());
  ASSERT_THAT(waiter.outcome().result, IsOk());
  EXPECT_EQ(waiter.outcome().result->width, 3);
  EXPECT_GE(waiter.outcome().queue_ms, 0);
  EXPECT_GT(waiter.outcome().infer_ms, 0);
}

TEST_F(InferenceExecutorTest, RunsEverythingOnOneThreadInOrder) {
  InferenceExecutor executor(8);
  std::thread::id loader;
  executor.RunAndWait([&loader] { loader = std::this_thread::get_id(); });
  Waiter first;
  Waiter second;
  ASSERT_THAT(executor.Submit(Job(5), first.done()), IsOk());
  ASSERT_THAT(executor.Submit(Job(7), second.done()), IsOk());
  EXPECT_EQ(first.thread(), loader);
  EXPECT_EQ(second.thread(), loader);
  EXPECT_NE(loader, std::this_thread::get_id());
  ASSERT_EQ(fake_.calls().size(), 2u);
  EXPECT_EQ(fake_.calls()[0].width, 5);
  EXPECT_EQ(fake_.calls()[1].width, 7);
}

TEST_F(InferenceExecutorTest, AFullQueueRefusesAtOnce) {
  InferenceExecutor executor(1);
  fake_.Block();
  Waiter running;
  Waiter queued;
  ASSERT_THAT(executor.Submit(Job(), running.done()), IsOk());
  fake_.WaitForCalls(1);  // it has left the queue
  ASSERT_THAT(executor.Submit(Job(), queued.done()), IsOk());
  const auto never = [](const InferenceOutcome&) { ADD_FAILURE() << "a refused job was run"; };
  EXPECT_THAT(executor.Submit(Job(), never), HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  fake_.Release();
  EXPECT_THAT(queued.outcome().result, IsOk());
}

TEST_F(InferenceExecutorTest, AJobThatIsLateAtItsTurnNeverReachesTheSegmenter) {
  InferenceExecutor executor(2);
  fake_.Block();
  Waiter running;
  Waiter late;
  ASSERT_THAT(executor.Submit(Job(), running.done()), IsOk());
  fake_.WaitForCalls(1);
  InferenceJob job = Job();
  job.deadline = std::chrono::steady_clock::now();  // has passed by the time the first is done
  ASSERT_THAT(executor.Submit(std::move(job), late.done()), IsOk());
  fake_.Release();
  EXPECT_THAT(late.outcome().result, HasStatus(absl::StatusCode::kDeadlineExceeded, _));
  EXPECT_EQ(late.outcome().infer_ms, 0);
  EXPECT_EQ(fake_.calls().size(), 1u);
}

TEST_F(InferenceExecutorTest, AJobCancelledInTheQueueNeverReachesTheSegmenter) {
  InferenceExecutor executor(2);
  fake_.Block();
  Waiter running;
  Waiter cancelled;
  std::atomic<bool> gave_up{false};
  ASSERT_THAT(executor.Submit(Job(), running.done()), IsOk());
  fake_.WaitForCalls(1);
  InferenceJob job = Job();
  job.cancelled = [&gave_up] { return gave_up.load(); };
  ASSERT_THAT(executor.Submit(std::move(job), cancelled.done()), IsOk());
  gave_up = true;
  fake_.Release();
  EXPECT_THAT(cancelled.outcome().result, HasStatus(absl::StatusCode::kCancelled, _));
  EXPECT_EQ(fake_.calls().size(), 1u);
}

TEST_F(InferenceExecutorTest, CancellationStopsARunningJob) {
  InferenceExecutor executor(1);
  fake_.Block();
  Waiter waiter;
  std::atomic<bool> gave_up{false};
  InferenceJob job = Job();
  job.cancelled = [&gave_up] { return gave_up.load(); };
  ASSERT_THAT(executor.Submit(std::move(job), waiter.done()), IsOk());
  fake_.WaitForCalls(1);
  gave_up = true;
  EXPECT_THAT(waiter.outcome().result, HasStatus(absl::StatusCode::kCancelled, _));
}

TEST_F(InferenceExecutorTest, ADeadlineThatPassesStopsARunningJob) {
  InferenceExecutor executor(1);
  fake_.Block();  // for ever: only the deadline ends the call
  Waiter waiter;
  InferenceJob job = Job();
  job.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  ASSERT_THAT(executor.Submit(std::move(job), waiter.done()), IsOk());
  EXPECT_THAT(waiter.outcome().result, HasStatus(absl::StatusCode::kDeadlineExceeded, _));
}

TEST_F(InferenceExecutorTest, AnExceptionIsAnInternalErrorAndTheThreadGoesOn) {
  InferenceExecutor executor(2);
  fake_.Throw("boom");
  Waiter thrown;
  ASSERT_THAT(executor.Submit(Job(), thrown.done()), IsOk());
  EXPECT_THAT(thrown.outcome().result, HasStatus(absl::StatusCode::kInternal, HasSubstr("boom")));
  bool ran = false;
  executor.RunAndWait([&ran] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST_F(InferenceExecutorTest, DestructorFinishesWhatIsQueued) {
  Waiter first;
  Waiter second;
  {
    InferenceExecutor executor(2);
    ASSERT_THAT(executor.Submit(Job(), first.done()), IsOk());
    ASSERT_THAT(executor.Submit(Job(), second.done()), IsOk());
  }
  EXPECT_THAT(first.outcome().result, IsOk());
  EXPECT_THAT(second.outcome().result, IsOk());
}

}  // namespace
}  // namespace candor
