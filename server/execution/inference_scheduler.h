// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/steady_condition.h"
#include "server/execution/compute_times.h"
#include "server/execution/inference_job.h"
#include "server/execution/run_batch.h"
#include "server/execution/worker_pool.h"

namespace candor {

// One thread that runs all inference of the process: a second one would bring a second OpenMP team whose idle threads
// spin against the first. It takes the oldest job of the highest priority, and with it others of the same model and
// padded size, as long as every one of them can still meet its deadline by measured compute times. Models are loaded
// here too at start-up (RunAndWait), since the number of OpenMP threads is a property of the thread that sets it. While
// a device works on one batch the thread makes the next one ready, and a second thread waits for the first.
// Thread-safe.
class InferenceScheduler {
 public:
  using Done = std::function<void(InferenceOutcome)>;

  // What may wait, running jobs not counted.
  struct Limits {
    int jobs = 1;
    int64_t picture_bytes = int64_t{1} << 30;  // of decoded pictures
  };

  // Told once, on a thread of the scheduler's, that a model's device has failed for good (Segmenter: Aborted).
  using DeviceFailed = std::function<void(const absl::Status&)>;

  explicit InferenceScheduler(Limits limits, DeviceFailed device_failed = nullptr);
  // Runs what is queued, then joins. Nobody may submit any more.
  ~InferenceScheduler();

  InferenceScheduler(const InferenceScheduler&) = delete;
  InferenceScheduler& operator=(const InferenceScheduler&) = delete;

  // A running idle job is cancelled, before its next member, as soon as a request waits; not once a device has it.
  // Never blocks. After OK, `done` is called once, on a thread of the scheduler's: it must be short and must not throw.
  // A job that is cancelled (Cancelled), or late or bound to be by measured compute times (DeadlineExceeded) when its
  // turn comes never reaches the segmenter. ResourceExhausted, with a retry delay: the queue is full, and `done` is not
  // called.
  absl::Status Submit(InferenceJob job, Done done) ABSL_LOCKS_EXCLUDED(mu_);

  // Time that is spoken for by a picture on its way to the queue. Movable; gives the time back when it ends.
  class Reservation {
   public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept { *this = std::move(other); }
    Reservation& operator=(Reservation&& other) noexcept;
    ~Reservation() { Release(); }
    void Release();

   private:
    friend class InferenceScheduler;
    InferenceScheduler* scheduler_ = nullptr;
    Priority priority_ = Priority::kNormal;
    SteadyDuration time_{0};
  };

  // For a request that has not been decoded yet: until the reservation ends, at Submit at the latest, later ones see
  // its work coming. ResourceExhausted, with a retry delay: what waits or is on its way at this priority or a higher
  // one, and unless it is `anytime` the answer itself, will take longer than until `deadline`.
  absl::StatusOr<Reservation> Reserve(const Segmenter& segmenter, Priority priority, SteadyTime deadline, bool anytime)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Runs `work`, which must not throw, on the scheduler's thread before any queued job, and waits for its end.
  void RunAndWait(const std::function<void()>& work) ABSL_LOCKS_EXCLUDED(mu_);

  // Runs `work`, which must not throw, on the scheduler's thread if nothing else is there or, by its reservation, on
  // its way, but for one request, the caller's own; false: not. A change of threads costs more than a small picture's
  // decoding.
  bool RunIfIdle(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mu_);

  // Jobs that wait now.
  int queued() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    InferenceJob job;
    Done done;
    SteadyTime submitted;
    int64_t pixels = 0;  // padded
    SteadyDuration expected{0};
  };
  using Queue = std::list<Entry>;

  // Pictures that run together.
  struct Batch {
    explicit Batch(Queue taken);

    const Entry& head() const { return entries.front(); }

    Queue entries;
    std::vector<const InferenceJob*> jobs;
    SteadyDuration expected{0};
    SteadyTime start;  // of the device's work on it, unless the device had more to do
    absl::StatusOr<PendingAnswers> answers = absl::UnknownError("not run");
  };

  // What the thread does next.
  struct Next {
    std::function<void()> work;
    Queue dropped;  // each with the reason in `reasons`
    std::vector<absl::Status> reasons;
    Queue batch;
    SteadyDuration expected{0};  // of the batch
    bool stop = false;
  };
  // Batches that devices work on: a second one is there when the first ends.
  static constexpr int kMostUnderWay = 2;

  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  Next WaitForNext() ABSL_LOCKS_EXCLUDED(mu_);
  bool HasNext() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!tasks_.empty()) return true;
    // Idle work only where nothing runs: on a device it cannot give way any more.
    if (!queue_.empty()) return requests_waiting_ > 0 ? under_way_ < kMostUnderWay : under_way_ == 0;
    return stopping_ && under_way_ == 0;
  }
  void Change() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    has_changed_ = true;
    changed_.NotifyAll();
  }
  void DropHopeless(SteadyTime now, SteadyTime begin, Next* next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<Queue::iterator> ChooseBatch(SteadyTime begin) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  SteadyTime WaitUntil(const std::vector<Queue::iterator>& batch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Take(Queue::iterator entry, Queue* into) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndReservation(Priority priority, SteadyDuration time) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Duration WaitAhead(Priority priority) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Run(Next* next) ABSL_LOCKS_EXCLUDED(mu_);
  void Await(const std::shared_ptr<Batch>& batch) ABSL_LOCKS_EXCLUDED(mu_);
  void Account(Batch* batch, SteadyTime end, const std::optional<JobResults>& results)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Tell(Batch* batch, SteadyTime end, JobResults results) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status TellOfFailure(const absl::Status& failure) ABSL_LOCKS_EXCLUDED(mu_);

  const Limits limits_;
  mutable absl::Mutex mu_;
  DeviceFailed device_failed_ ABSL_GUARDED_BY(mu_);  // null once told
  SteadyCondition changed_;                          // has_changed_ has become true
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  Queue queue_ ABSL_GUARDED_BY(mu_);  // in the order of arrival
  int64_t queued_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::array<SteadyDuration, kPriorities> queued_time_ ABSL_GUARDED_BY(mu_){};    // expected, by priority
  std::array<SteadyDuration, kPriorities> reserved_time_ ABSL_GUARDED_BY(mu_){};  // the same, not yet queued
  int reservations_ ABSL_GUARDED_BY(mu_) = 0;
  SteadyTime busy_until_ ABSL_GUARDED_BY(mu_);           // expected end of all that runs
  SteadyDuration running_time_ ABSL_GUARDED_BY(mu_){0};  // expected, of all that runs
  SteadyTime last_end_ ABSL_GUARDED_BY(mu_);             // of a batch
  int under_way_ ABSL_GUARDED_BY(mu_) = 0;               // batches that devices work on
  bool has_changed_ ABSL_GUARDED_BY(mu_) = false;        // since a batch began to wait for more
  ComputeTimes times_ ABSL_GUARDED_BY(mu_);
  bool is_running_ ABSL_GUARDED_BY(mu_) = false;  // a task or a batch
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<int> requests_waiting_{0};  // jobs above idle in the queue
  WorkerPool awaiter_{1};
  std::thread thread_;
};

}  // namespace candor
