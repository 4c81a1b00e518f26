// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/training_runs.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);  // for checkpoints at the end of the service
constexpr int kMostFruitless = 3;                       // starts in a row that came no step further

int64_t NowMs() { return absl::ToUnixMillis(absl::Now()); }

bool Runs(RunState state) { return state == RunState::kRunning || state == RunState::kCancelling; }

RunPlace PlaceOf(const RunView& view) { return {view.folder, view.record.members}; }

int64_t StepsDone(const RunView& view) {
  int64_t steps = 0;
  for (const TrainingProgress& training : view.trainings) steps += training.step;
  return steps;
}

bool IsSame(const TrainingProgress& a, const TrainingProgress& b) {
  return a.is_done == b.is_done && a.step == b.step && a.steps == b.steps;
}

RunRecord Ended(RunRecord record, RunState state, const std::string& message) {
  record.state = state;
  record.message = message;
  record.handle.clear();
  record.end_time_ms = NowMs();
  return record;
}

RunRecord Waiting(RunRecord record, const std::string& message) {
  record.state = RunState::kQueued;
  record.message = message;
  record.handle.clear();
  return record;
}

}  // namespace

double RunView::ShareDone() const {
  if (trainings.empty()) return 0;
  double sum = 0;
  for (const TrainingProgress& training : trainings) sum += training.ShareDone();
  return sum / static_cast<double>(trainings.size());
}

absl::StatusOr<std::unique_ptr<TrainingRuns>> TrainingRuns::Open(RunsOptions options,
                                                                 std::unique_ptr<RunExecutor> executor) {
  RETURN_IF_ERROR(MakeDirectories(options.folder));
  std::error_code error;
  options.folder = std::filesystem::canonical(options.folder, error).string();
  if (error) return absl::DataLossError(absl::StrCat(options.folder, ": ", error.message()));
  std::unique_ptr<TrainingRuns> runs(new TrainingRuns(std::move(options), std::move(executor)));
  RETURN_IF_ERROR(runs->ReadRuns());
  runs->watcher_ = std::thread([raw = runs.get()] { raw->Watch(); });
  return runs;
}

void TrainingRuns::Stop() {
  if (!watcher_.joinable()) return;
  {
    absl::MutexLock lock(&mu_);
    is_ending_ = true;
  }
  watcher_.join();
}

absl::Status TrainingRuns::ReadRuns() {
  absl::MutexLock lock(&mu_);
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder)) {
    if (!std::filesystem::exists(entry.path() / kRecordFile)) continue;  // never accepted
    ASSIGN_OR_RETURN(RunRecord record, ReadRecord(entry.path()));
    // Killed between the start and its record: the executor tells whether something trains there.
    if (record.state == RunState::kRunning && record.handle.empty()) record.state = RunState::kQueued;
    runs_.emplace(record.name, MakeRun(record));
    if (!HasEnded(record.state)) LogInfo("goes on with a run", {{"run", record.name}, {"state", NameOf(record.state)}});
  }
  return absl::OkStatus();
}

std::string TrainingRuns::FolderOf(const std::string& name) const { return absl::StrCat(options_.folder, "/", name); }

TrainingRuns::Run TrainingRuns::MakeRun(RunRecord record) const {
  Run run;
  run.view.folder = FolderOf(record.name);
  run.view.last_step = absl::Now();
  run.readers = RunReaders(run.view.folder, record.members, /*and_student=*/true);
  for (ProgressReader& reader : run.readers) run.view.trainings.push_back(reader.Read());
  run.view.record = std::move(record);
  return run;
}

absl::Status TrainingRuns::Change(Run* run, const RunRecord& record) {
  RETURN_IF_ERROR(WriteRecord(run->view.folder, record));
  if (record.state != run->view.record.state) {
    LogInfo("run", {{"run", record.name}, {"state", NameOf(record.state)}, {"reason", record.message}});
  }
  run->view.record = record;
  run->view.revision = ++revision_;
  return absl::OkStatus();
}

absl::StatusOr<TrainingRuns::Run*> TrainingRuns::Find(const std::string& name) {
  const auto it = runs_.find(name);
  if (it == runs_.end()) return absl::NotFoundError(absl::StrCat("no run '", name, "'"));
  return &it->second;
}

absl::StatusOr<RunView> TrainingRuns::Create(const std::string& name, const std::string& config, int members) {
  absl::MutexLock lock(&mu_);
  const std::string folder = FolderOf(name);
  if (runs_.count(name) > 0 || std::filesystem::exists(folder)) {
    return absl::AlreadyExistsError(absl::StrCat("there is a run '", name, "' already"));
  }
  const auto waiting = std::count_if(runs_.begin(), runs_.end(), [](const auto& entry) {
    return entry.second.view.record.state == RunState::kQueued;
  });
  if (waiting >= options_.most_waiting) {
    return absl::ResourceExhaustedError(absl::StrCat(waiting, " runs wait, which is the most"));
  }
  RETURN_IF_ERROR(MakeDirectories(folder));
  RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(folder, "/", kConfigFile), config));
  RunRecord record;
  record.name = name;
  record.create_time_ms = NowMs();
  record.members = members;
  Run run = MakeRun(record);
  RETURN_IF_ERROR(Change(&run, record));
  return runs_.emplace(name, std::move(run)).first->second.view;
}

absl::StatusOr<RunView> TrainingRuns::Get(const std::string& name) const {
  return AwaitChange(name, -1, absl::ZeroDuration());
}

std::vector<RunView> TrainingRuns::List() const {
  absl::MutexLock lock(&mu_);
  std::vector<RunView> views;
  for (const auto& [name, run] : runs_) views.push_back(run.view);
  std::stable_sort(views.begin(), views.end(), [](const RunView& a, const RunView& b) {
    return a.record.create_time_ms > b.record.create_time_ms;
  });
  return views;
}

absl::StatusOr<RunView> TrainingRuns::Cancel(const std::string& name) {
  absl::MutexLock lock(&mu_);
  ASSIGN_OR_RETURN(Run* const run, Find(name));
  RunRecord record = run->view.record;
  if (HasEnded(record.state)) {
    return absl::FailedPreconditionError(absl::StrCat("run '", name, "' has ended already: ", NameOf(record.state)));
  }
  if (record.state == RunState::kQueued) {
    record = Ended(record, RunState::kCancelled, "");
  } else {
    record.state = RunState::kCancelling;
  }
  RETURN_IF_ERROR(Change(run, record));
  return run->view;
}

absl::StatusOr<RunView> TrainingRuns::Resume(const std::string& name) {
  absl::MutexLock lock(&mu_);
  ASSIGN_OR_RETURN(Run* const run, Find(name));
  RunRecord record = run->view.record;
  if (record.state != RunState::kFailed && record.state != RunState::kCancelled) {
    return absl::FailedPreconditionError(
        absl::StrCat("run '", name, "' must have failed or been cancelled to go on, but is ", NameOf(record.state)));
  }
  record = Waiting(record, "");
  record.end_time_ms = 0;
  run->fruitless = 0;
  RETURN_IF_ERROR(Change(run, record));
  return run->view;
}

absl::StatusOr<RunView> TrainingRuns::AwaitChange(const std::string& name, int64_t seen, absl::Duration timeout) const {
  absl::MutexLock lock(&mu_);
  const auto it = runs_.find(name);  // runs are never taken out
  if (it == runs_.end()) return absl::NotFoundError(absl::StrCat("no run '", name, "'"));
  const RunView& view = it->second.view;
  const auto has_changed = [&view, seen] { return view.revision > seen; };
  mu_.AwaitWithTimeout(absl::Condition(&has_changed), timeout);
  return view;
}

void TrainingRuns::Watch() {
  for (;;) {
    Step();
    absl::MutexLock lock(&mu_);
    if (mu_.AwaitWithTimeout(absl::Condition(&is_ending_), options_.poll)) break;
  }
  StopAll();
}

void TrainingRuns::Step() {
  std::vector<std::string> running;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [name, run] : runs_) {
      if (Runs(run.view.record.state)) running.push_back(name);
    }
  }
  for (const std::string& name : running) LookAt(name);
  StartNext();
}

void TrainingRuns::LookAt(const std::string& name) {
  RunView view;
  bool is_to_stop = false;
  {
    absl::MutexLock lock(&mu_);
    Run& run = runs_.at(name);
    view = run.view;
    is_to_stop = view.record.state == RunState::kCancelling && !std::exchange(run.was_asked_to_stop, true);
  }
  // The executor may take its time, and calls go on meanwhile.
  if (is_to_stop) executor_->Stop(PlaceOf(view), view.record.handle);
  const absl::StatusOr<Execution> execution = executor_->Look(PlaceOf(view), view.record.handle);
  absl::MutexLock lock(&mu_);
  Run& run = runs_.at(name);
  ReadProgress(&run);
  const RunRecord record = After(&run, execution);
  if (record == run.view.record) return;
  const absl::Status status = Change(&run, record);
  if (!status.ok()) LogError("cannot record a run", {{"run", name}, {"error", status.message()}});
}

void TrainingRuns::ReadProgress(Run* run) {
  for (size_t i = 0; i < run->readers.size(); ++i) {
    const TrainingProgress& now = run->readers[i].Read();
    if (IsSame(now, run->view.trainings[i])) continue;
    run->view.trainings[i] = now;
    run->view.last_step = absl::Now();
    run->view.revision = ++revision_;
  }
}

RunRecord TrainingRuns::After(Run* run, const absl::StatusOr<Execution>& execution) {
  using State = Execution::State;
  RunRecord record = run->view.record;
  if (!execution.ok() || execution->state == State::kRunning) {
    record.message = execution.ok() ? "" : std::string(execution.status().message());
    return record;
  }
  const bool is_cancelled = record.state == RunState::kCancelling;
  if (execution->state == State::kDone) return Ended(record, RunState::kSucceeded, "");
  if (is_cancelled) return Ended(record, RunState::kCancelled, "");
  if (execution->state == State::kFailed) return Ended(record, RunState::kFailed, execution->message);
  run->fruitless = StepsDone(run->view) > run->steps_at_start ? 0 : run->fruitless + 1;
  if (run->fruitless < kMostFruitless) return Waiting(record, execution->message);
  return Ended(
      record, RunState::kFailed,
      absl::StrCat("interrupted ", run->fruitless, " times in a row before its next step: ", execution->message));
}

void TrainingRuns::StartNext() {
  for (;;) {
    RunView next;
    {
      absl::MutexLock lock(&mu_);
      if (is_ending_) return;
      int running = 0;
      Run* first = nullptr;
      for (auto& [name, run] : runs_) {
        const RunRecord& record = run.view.record;
        if (Runs(record.state)) ++running;
        if (record.state != RunState::kQueued) continue;
        if (first == nullptr || record.create_time_ms < first->view.record.create_time_ms) first = &run;
      }
      if (first == nullptr || running >= options_.at_once) return;
      next = first->view;
    }
    if (!Start(next)) return;
  }
}

bool TrainingRuns::Start(const RunView& next) {
  const absl::StatusOr<std::string> handle = executor_->Start(PlaceOf(next));
  absl::MutexLock lock(&mu_);
  Run& run = runs_.at(next.record.name);
  RunRecord record = run.view.record;
  if (absl::IsAborted(handle.status())) {
    record.message = std::string(handle.status().message());
  } else if (!handle.ok()) {
    record = Ended(record, RunState::kFailed, std::string(handle.status().message()));
  } else {
    // Cancelled while it was starting: it is stopped as one that runs.
    record.state = HasEnded(record.state) ? RunState::kCancelling : RunState::kRunning;
    record.end_time_ms = 0;
    record.handle = *handle;
    record.message.clear();
    if (record.start_time_ms == 0) record.start_time_ms = NowMs();
    ++record.starts;
    run.was_asked_to_stop = false;
    run.steps_at_start = StepsDone(run.view);
    run.view.last_step = absl::Now();
  }
  if (record == run.view.record) return false;
  const absl::Status status = Change(&run, record);
  if (!status.ok()) LogError("cannot record a run", {{"run", record.name}, {"error", status.message()}});
  return handle.ok();
}

void TrainingRuns::StopAll() {
  if (executor_->OutlivesService()) return;
  std::vector<RunView> running;
  for (RunView& view : List()) {
    if (Runs(view.record.state)) running.push_back(std::move(view));
  }
  for (const RunView& view : running) executor_->Stop(PlaceOf(view), view.record.handle);
  const absl::Time deadline = absl::Now() + kPatience;
  for (const RunView& view : running) {
    bool runs = true;
    while (runs && absl::Now() < deadline) {
      LookAt(view.record.name);
      const absl::StatusOr<RunView> now = Get(view.record.name);
      runs = now.ok() && Runs(now->record.state);
      if (runs) absl::SleepFor(options_.poll);
    }
    if (runs) LogWarning("a run has not stopped in time", {{"run", view.record.name}});
  }
}

}  // namespace candor
