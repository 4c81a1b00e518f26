// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trainer/service/run_executor.h"
#include "trainer/service/run_record.h"
#include "trainer/training/run_progress.h"

namespace candor {

// A run as it is at one moment.
struct RunView {
  RunRecord record;
  std::string folder;
  std::vector<TrainingProgress> trainings;  // the members in order, then the distillation
  absl::Time last_step;                     // when a step was seen last, or the run was started
  int64_t revision = 0;                     // grows with every change

  double ShareDone() const;  // of all steps, [0, 1]
};

struct RunsOptions {
  std::string folder;  // holds the runs, a folder each
  int at_once = 1;     // runs that train at the same time
  int most_waiting = 100;
  absl::Duration poll = absl::Milliseconds(500);  // between two looks at what runs
};

// All runs of the service, and the thread that starts and watches them. Every change is on disk before it is told.
// Thread-safe.
class TrainingRuns {
 public:
  // Reads the runs that are there and goes on with those that have not ended. DataLoss: the folder cannot be made.
  // InvalidArgument: a run.json breaks its format.
  static absl::StatusOr<std::unique_ptr<TrainingRuns>> Open(RunsOptions options, std::unique_ptr<RunExecutor> executor);
  ~TrainingRuns() { Stop(); }

  // Starts nothing more, stops what would not outlive the service, and waits until its checkpoints are written. What is
  // created from now on waits for the next service. One thread only; a second call does nothing.
  void Stop();

  // `config` is a valid TrainerConfig as text proto, `members` its number of members. AlreadyExists; ResourceExhausted:
  // too many wait; DataLoss.
  absl::StatusOr<RunView> Create(const std::string& name, const std::string& config, int members);
  absl::StatusOr<RunView> Get(const std::string& name) const;  // NotFound
  std::vector<RunView> List() const;                           // the newest first
  absl::StatusOr<RunView> Cancel(const std::string& name);     // NotFound, FailedPrecondition
  absl::StatusOr<RunView> Resume(const std::string& name);     // NotFound, FailedPrecondition

  // Waits until the run's revision is above `seen`, or for `timeout`, and returns the run as it is then. NotFound.
  absl::StatusOr<RunView> AwaitChange(const std::string& name, int64_t seen, absl::Duration timeout) const;

  const char* executor_name() const { return executor_->name(); }

 private:
  struct Run {
    RunView view;
    std::vector<ProgressReader> readers;
    bool was_asked_to_stop = false;  // by this service
    int64_t steps_at_start = 0;      // done when it was started last
    int fruitless = 0;               // starts in a row that came no step further
  };

  TrainingRuns(RunsOptions options, std::unique_ptr<RunExecutor> executor)
      : options_(std::move(options)), executor_(std::move(executor)) {}

  absl::Status ReadRuns();
  Run MakeRun(RunRecord record) const;
  std::string FolderOf(const std::string& name) const;
  absl::Status Change(Run* run, const RunRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<Run*> Find(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // The watching thread.
  void Watch();
  void Step();
  void LookAt(const std::string& name);
  void ReadProgress(Run* run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The record of a run after what its executor has told.
  RunRecord After(Run* run, const absl::StatusOr<Execution>& execution) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StartNext();
  bool Start(const RunView& next);
  void StopAll();

  const RunsOptions options_;
  const std::unique_ptr<RunExecutor> executor_;  // the watching thread's, besides its name
  mutable absl::Mutex mu_;
  std::map<std::string, Run> runs_ ABSL_GUARDED_BY(mu_);
  int64_t revision_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread watcher_;
};

}  // namespace candor
