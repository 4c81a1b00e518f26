// SPDX-License-Identifier: Apache-2.0
//
// The inference thread, its queue, and who runs with whom.
#include "server/execution/inference_scheduler.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "core/model/padded_size.h"
#include "server/error_details.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

// What is waited for may take longer than expected; a queue that is let grow to the deadline makes all of it late.
constexpr double kWaitMargin = 1.25;

double MillisecondsBetween(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

int64_t PaddedPixels(const Picture& picture) {
  return static_cast<int64_t>(PaddedSize(picture.width())) * PaddedSize(picture.height());
}

// `now` + `duration` that does not overflow; false for "no deadline".
bool IsAfter(SteadyTime now, SteadyDuration duration, SteadyTime deadline) {
  return deadline != SteadyTime::max() && now + duration > deadline;
}

absl::Status QueueFull(const std::string& what, absl::Duration wait) {
  return WithRetryDelay(
      WithReason(absl::ResourceExhaustedError(absl::StrCat("the inference queue is full: ", what)), kQueueFull), wait);
}

}  // namespace

InferenceScheduler::InferenceScheduler(Limits limits, DeviceFailed device_failed)
    : limits_(limits), device_failed_(std::move(device_failed)), thread_([this] { Work(); }) {}

InferenceScheduler::~InferenceScheduler() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    Change();
  }
  thread_.join();
}

absl::Duration InferenceScheduler::WaitAhead(Priority priority) const {
  SteadyDuration wait = std::max(busy_until_ - steady_clock::now(), SteadyDuration::zero());
  for (int p = static_cast<int>(priority); p < kPriorities; ++p) wait += queued_time_[p] + reserved_time_[p];
  return absl::FromChrono(wait);
}

absl::Status InferenceScheduler::Submit(InferenceJob job, Done done) {
  const int64_t bytes = job.picture.bytes();
  const int64_t pixels = PaddedPixels(job.picture);
  absl::MutexLock lock(&mu_);
  if (static_cast<int>(queue_.size()) >= limits_.jobs) {
    return QueueFull(absl::StrCat(queue_.size(), " pictures wait"), WaitAhead(job.priority));
  }
  if (!queue_.empty() && queued_bytes_ + bytes > limits_.picture_bytes) {
    return QueueFull(absl::StrCat(queued_bytes_, " bytes of pictures wait, ", bytes, " more would pass the limit of ",
                                  limits_.picture_bytes),
                     WaitAhead(job.priority));
  }
  const SteadyDuration expected = times_.Expect(job.segmenter->info().name, pixels, 1);
  if (job.priority != Priority::kIdle) requests_waiting_.fetch_add(1, std::memory_order_relaxed);
  queued_bytes_ += bytes;
  queued_time_[static_cast<int>(job.priority)] += expected;
  queue_.push_back({std::move(job), std::move(done), steady_clock::now(), pixels, expected});
  Change();
  return absl::OkStatus();
}

InferenceScheduler::Reservation& InferenceScheduler::Reservation::operator=(Reservation&& other) noexcept {
  Release();
  scheduler_ = std::exchange(other.scheduler_, nullptr);
  priority_ = other.priority_;
  time_ = other.time_;
  return *this;
}

void InferenceScheduler::Reservation::Release() {
  if (scheduler_ != nullptr) std::exchange(scheduler_, nullptr)->EndReservation(priority_, time_);
}

void InferenceScheduler::EndReservation(Priority priority, SteadyDuration time) {
  absl::MutexLock lock(&mu_);
  reserved_time_[static_cast<int>(priority)] -= time;
  --reservations_;
}

absl::StatusOr<InferenceScheduler::Reservation> InferenceScheduler::Reserve(const Segmenter& segmenter,
                                                                            Priority priority, SteadyTime deadline,
                                                                            bool anytime) {
  absl::MutexLock lock(&mu_);
  const absl::Duration wait = WaitAhead(priority);
  const SteadyDuration own = times_.ExpectAnyAtMost(segmenter.info().name);
  const SteadyTime now = steady_clock::now();
  // Without a queue the estimate may be wrong, and running costs nobody else anything.
  const bool is_idle = queue_.empty() && reservations_ == 0;
  const SteadyDuration needed = anytime ? SteadyDuration::zero() : own;
  if (!is_idle && IsAfter(now, absl::ToChronoNanoseconds(kWaitMargin * wait) + needed, deadline)) {
    const absl::Status status = absl::ResourceExhaustedError(
        absl::StrCat("the answer would come too late: about ", absl::ToInt64Milliseconds(wait),
                     " ms of work waits, the deadline is in ",
                     std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now).count(), " ms"));
    return WithRetryDelay(WithReason(status, kWouldBeLate), wait);
  }
  Reservation reservation;
  reservation.scheduler_ = this;
  reservation.priority_ = priority;
  reservation.time_ = own;
  reserved_time_[static_cast<int>(priority)] += own;
  ++reservations_;
  return reservation;
}

void InferenceScheduler::RunAndWait(const std::function<void()>& work) {
  absl::Notification finished;
  {
    absl::MutexLock lock(&mu_);
    tasks_.push_back([&work, &finished] {
      work();
      finished.Notify();
    });
    Change();
  }
  finished.WaitForNotification();
}

bool InferenceScheduler::RunIfIdle(std::function<void()> work) {
  absl::MutexLock lock(&mu_);
  const bool is_busy = is_running_ || under_way_ > 0 || !tasks_.empty() || !queue_.empty();
  if (is_busy || stopping_ || reservations_ > 1) return false;
  tasks_.push_back(std::move(work));
  Change();
  return true;
}

int InferenceScheduler::queued() const {
  absl::MutexLock lock(&mu_);
  return static_cast<int>(queue_.size());
}

void InferenceScheduler::Take(Queue::iterator entry, Queue* into) {
  queued_bytes_ -= entry->job.picture.bytes();
  queued_time_[static_cast<int>(entry->job.priority)] -= entry->expected;
  if (entry->job.priority != Priority::kIdle) requests_waiting_.fetch_sub(1, std::memory_order_relaxed);
  into->splice(into->end(), queue_, entry);
}

void InferenceScheduler::DropHopeless(SteadyTime now, SteadyTime begin, Next* next) {
  for (auto entry = queue_.begin(); entry != queue_.end();) {
    const auto here = entry++;
    const InferenceJob& job = here->job;
    const std::string& model = job.segmenter->info().name;
    // Some members are quicker than all.
    const SteadyDuration needed = job.anytime ? SteadyDuration::zero() : times_.ExpectAtMost(model, here->pixels);
    const bool is_late = now >= job.deadline;
    if (is_late || IsAfter(begin, needed, job.deadline)) {
      if (!is_late && IsAfter(now, needed, job.deadline)) times_.Doubt(model, here->pixels, 1);
      next->reasons.push_back(Late());
    } else if (job.cancelled()) {
      next->reasons.push_back(absl::CancelledError("the caller gave up"));
    } else {
      continue;
    }
    Take(here, &next->dropped);
  }
}

std::vector<InferenceScheduler::Queue::iterator> InferenceScheduler::ChooseBatch(SteadyTime begin) {
  // The first of equals is the oldest.
  const auto head = std::max_element(queue_.begin(), queue_.end(),
                                     [](const Entry& a, const Entry& b) { return a.job.priority < b.job.priority; });
  std::vector<Queue::iterator> batch = {head};
  if (head->job.anytime) return batch;
  const auto max_size = static_cast<size_t>(head->job.batching.max_batch_size);
  SteadyTime earliest_deadline = head->job.deadline;
  for (auto entry = queue_.begin(); entry != queue_.end() && batch.size() < max_size; ++entry) {
    const InferenceJob& job = entry->job;
    if (entry == head || job.segmenter != head->job.segmenter || job.anytime) continue;
    if (!HaveOnePaddedSize(job.picture, head->job.picture)) continue;
    const SteadyTime deadline = std::min(earliest_deadline, job.deadline);
    const int size = static_cast<int>(batch.size()) + 1;
    if (IsAfter(begin, times_.Expect(job.segmenter->info().name, head->pixels, size), deadline)) continue;
    earliest_deadline = deadline;
    batch.push_back(entry);
  }
  return batch;
}

SteadyTime InferenceScheduler::WaitUntil(const std::vector<Queue::iterator>& batch) const {
  const Entry& head = *batch.front();
  const Batching& batching = head.job.batching;
  if (head.job.anytime || static_cast<int>(batch.size()) >= batching.max_batch_size) return SteadyTime::min();
  SteadyTime until = head.submitted + batching.window;
  for (const auto& entry : batch) {
    if (entry->job.deadline == SteadyTime::max()) continue;
    until = std::min(until, entry->job.deadline -
                                times_.Expect(head.job.segmenter->info().name, head.pixels, batching.max_batch_size));
  }
  return until;
}

InferenceScheduler::Next InferenceScheduler::WaitForNext() {
  Next next;
  absl::MutexLock lock(&mu_);
  is_running_ = false;
  for (;;) {
    mu_.Await(absl::Condition(this, &InferenceScheduler::HasNext));
    is_running_ = true;
    if (!tasks_.empty()) {
      next.work = std::move(tasks_.front());
      tasks_.pop_front();
      return next;
    }
    const SteadyTime now = steady_clock::now();
    const SteadyTime begin = std::max(now, busy_until_);
    DropHopeless(now, begin, &next);
    if (!next.dropped.empty()) return next;
    if (queue_.empty()) {
      next.stop = stopping_;
      return next;
    }
    const std::vector<Queue::iterator> batch = ChooseBatch(begin);
    const SteadyTime until = WaitUntil(batch);
    if (until <= now || stopping_) {
      const Entry& head = *batch.front();
      next.expected = times_.Expect(head.job.segmenter->info().name, head.pixels, static_cast<int>(batch.size()));
      busy_until_ = begin + next.expected;
      running_time_ += next.expected;
      for (const auto& entry : batch) Take(entry, &next.batch);
      return next;
    }
    has_changed_ = false;
    changed_.AwaitUntil(&mu_, until, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return has_changed_; });
  }
}

// What its caller hears: as if this server were not there.
absl::Status InferenceScheduler::TellOfFailure(const absl::Status& failure) {
  DeviceFailed told;
  {
    absl::MutexLock lock(&mu_);
    told = std::exchange(device_failed_, nullptr);
  }
  if (told != nullptr) told(failure);
  return absl::UnavailableError(failure.message());
}

InferenceScheduler::Batch::Batch(Queue taken) : entries(std::move(taken)) {
  for (const Entry& entry : entries) jobs.push_back(&entry.job);
}

void InferenceScheduler::Run(Next* next) {
  for (Entry& entry : next->batch) {
    if (entry.job.priority != Priority::kIdle) continue;
    entry.job.cancelled = [this, cancelled = std::move(entry.job.cancelled)] {
      return requests_waiting_.load(std::memory_order_relaxed) > 0 || cancelled();
    };
  }
  const auto batch = std::make_shared<Batch>(std::move(next->batch));
  batch->expected = next->expected;
  batch->start = steady_clock::now();
  batch->answers = StartBatch(batch->jobs);
  if (batch->answers.ok() && !batch->answers->are_ready()) {
    {
      absl::MutexLock lock(&mu_);
      ++under_way_;
    }
    awaiter_.Submit([this, batch] { Await(batch); });
    return;
  }
  std::optional<JobResults> results = TakeResults(batch->jobs, std::move(batch->answers));
  if (!results.has_value()) results = RunOneByOne(batch->jobs);
  const SteadyTime end = steady_clock::now();
  {
    absl::MutexLock lock(&mu_);
    Account(batch.get(), end, results);
  }
  Tell(batch.get(), end, *std::move(results));
}

// On the awaiter's thread.
void InferenceScheduler::Await(const std::shared_ptr<Batch>& batch) {
  std::optional<JobResults> results = TakeResults(batch->jobs, std::move(batch->answers));
  const SteadyTime end = steady_clock::now();
  {
    absl::MutexLock lock(&mu_);
    --under_way_;
    Account(batch.get(), end, results);
    if (!results.has_value()) {
      tasks_.push_back([this, batch] {
        JobResults again = RunOneByOne(batch->jobs);
        Tell(batch.get(), steady_clock::now(), std::move(again));
      });
    }
    Change();
  }
  if (results.has_value()) Tell(batch.get(), end, *std::move(results));
}

// That a batch has ended: what the device spent on the one before is not its time.
void InferenceScheduler::Account(Batch* batch, SteadyTime end, const std::optional<JobResults>& results) {
  batch->start = std::max(batch->start, std::exchange(last_end_, end));
  running_time_ -= batch->expected;
  busy_until_ = end + running_time_;
  const Entry& head = batch->head();
  const auto is_whole = [&head](const absl::StatusOr<Segmentation>& result) {
    return result.ok() && (!head.job.anytime || result->members == PredictionCount(head.job.segmenter->info().spec));
  };
  if (!results.has_value() || !std::all_of(results->begin(), results->end(), is_whole)) return;
  times_.Add(head.job.segmenter->info().name, head.pixels, static_cast<int>(batch->jobs.size()), end - batch->start);
}

void InferenceScheduler::Tell(Batch* batch, SteadyTime end, JobResults results) {
  auto result = results.begin();
  for (Entry& entry : batch->entries) {
    InferenceOutcome outcome;
    outcome.result = std::move(*result++);
    if (absl::IsAborted(outcome.result.status())) outcome.result = TellOfFailure(outcome.result.status());
    if (entry.job.keep_picture) outcome.picture = std::move(entry.job.picture);
    outcome.queue_ms = MillisecondsBetween(entry.submitted, batch->start);
    outcome.infer_ms = MillisecondsBetween(batch->start, end);
    outcome.batch_size = static_cast<int>(batch->jobs.size());
    entry.done(std::move(outcome));
  }
}

void InferenceScheduler::Work() {
  for (;;) {
    Next next = WaitForNext();
    if (next.stop) return;
    if (next.work) next.work();
    auto reason = next.reasons.begin();
    for (Entry& entry : next.dropped) {
      InferenceOutcome outcome;
      outcome.result = *reason++;
      if (entry.job.keep_picture) outcome.picture = std::move(entry.job.picture);
      outcome.queue_ms = MillisecondsBetween(entry.submitted, steady_clock::now());
      entry.done(std::move(outcome));
    }
    if (!next.batch.empty()) Run(&next);
  }
}

}  // namespace candor
