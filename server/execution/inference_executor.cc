// SPDX-License-Identifier: Apache-2.0
//
// The inference thread and its queue.
#include "server/execution/inference_executor.h"

#include <exception>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

namespace candor {
namespace {

double MillisecondsBetween(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

absl::Status Late() { return absl::DeadlineExceededError("the deadline passed before the answer was ready"); }

// The segmenter promises not to throw; a fake or a later one that does must not end the process.
absl::StatusOr<Segmentation> SegmentGuarded(const InferenceJob& job) {
  const auto cancelled = [&job] { return std::chrono::steady_clock::now() >= job.deadline || job.cancelled(); };
  try {
    absl::StatusOr<Segmentation> result = job.segmenter->Segment(job.image, {job.kinds, false, job.region}, cancelled);
    if (absl::IsCancelled(result.status()) && std::chrono::steady_clock::now() >= job.deadline) return Late();
    return result;
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("the model failed: ", e.what()));
  }
}

InferenceOutcome RunJob(const InferenceJob& job, SteadyTime submitted) {
  const SteadyTime start = std::chrono::steady_clock::now();
  InferenceOutcome outcome;
  outcome.queue_ms = MillisecondsBetween(submitted, start);
  if (start >= job.deadline) {
    outcome.result = Late();
  } else if (job.cancelled()) {
    outcome.result = absl::CancelledError("the caller gave up");
  } else {
    outcome.result = SegmentGuarded(job);
    outcome.infer_ms = MillisecondsBetween(start, std::chrono::steady_clock::now());
  }
  return outcome;
}

}  // namespace

InferenceExecutor::InferenceExecutor(int max_queued)
    : max_queued_(static_cast<size_t>(max_queued)), thread_([this] { Work(); }) {}

InferenceExecutor::~InferenceExecutor() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
}

absl::Status InferenceExecutor::Submit(InferenceJob job, Done done) {
  // std::function copies its target, and a job holds a picture: share it.
  auto shared_job = std::make_shared<InferenceJob>(std::move(job));
  const SteadyTime submitted = std::chrono::steady_clock::now();
  absl::MutexLock lock(&mu_);
  if (tasks_.size() >= max_queued_) {
    return absl::ResourceExhaustedError(absl::StrCat("the inference queue is full: ", tasks_.size(), " jobs wait"));
  }
  tasks_.push_back([shared_job = std::move(shared_job), done = std::move(done), submitted] {
    InferenceOutcome outcome = RunJob(*shared_job, submitted);
    shared_job->image = Image();  // the picture's memory is free before the answer is encoded
    done(std::move(outcome));
  });
  return absl::OkStatus();
}

void InferenceExecutor::RunAndWait(const std::function<void()>& work) {
  absl::Notification finished;
  {
    absl::MutexLock lock(&mu_);
    tasks_.push_back([&work, &finished] {
      work();
      finished.Notify();
    });
  }
  finished.WaitForNotification();
}

void InferenceExecutor::Work() {
  for (;;) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(this, &InferenceExecutor::HasWorkOrStops));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace candor
