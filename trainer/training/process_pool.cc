// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/process_pool.h"

#include <signal.h>
#include <sys/wait.h>

#include <deque>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/exit_code.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(50);
constexpr absl::Duration kTick = absl::Milliseconds(500);

bool IsHopeless(int exit) {
  return exit == static_cast<int>(ExitCode::kUsage) || exit == static_cast<int>(ExitCode::kConfiguration);
}

// ": " and what a process said last; "" if it said nothing.
std::string LastWords(const std::string& log_file) {
  const std::string last = LastLine(log_file);
  return last.empty() ? "" : absl::StrCat(": ", last);
}

class Pool {
 public:
  Pool(const std::vector<ProcessSpec>& processes, const PoolOptions& options)
      : processes_(processes), options_(options), failures_(processes.size()) {
    for (size_t i = 0; i < processes.size(); ++i) waiting_.push_back(i);
  }
  // Reached early on an error only.
  ~Pool() { StopAll(); }

  absl::Status Run() {
    absl::Time ticked = absl::Now();
    while (!waiting_.empty() || !running_.empty()) {
      if (options_.stop_requested()) {
        StopAll();
        return absl::AbortedError("stopped; start it again to go on");
      }
      while (!waiting_.empty() && static_cast<int>(running_.size()) < options_.at_most) RETURN_IF_ERROR(StartNext());
      Reap();
      if (absl::Now() - ticked >= kTick) {
        ticked = absl::Now();
        Tell("");
      }
      absl::SleepFor(kPoll);
    }
    if (failed_.empty()) return absl::OkStatus();
    return absl::Status(is_hopeless_ ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnknown, failed_);
  }

 private:
  absl::Status StartNext() {
    const size_t index = waiting_.front();
    const ProcessSpec& process = processes_[index];
    waiting_.pop_front();
    ASSIGN_OR_RETURN(const pid_t pid, SpawnProcess(process));
    running_[pid] = index;
    Tell(absl::StrCat(process.name, " started"));
    return absl::OkStatus();
  }

  void Reap() {
    for (auto it = running_.begin(); it != running_.end();) {
      int status = 0;
      if (waitpid(it->first, &status, WNOHANG) != it->first) {
        ++it;
        continue;
      }
      const size_t index = it->second;
      it = running_.erase(it);
      Ended(index, ExitCodeOf(status));
    }
  }

  void Ended(size_t index, int exit) {
    const ProcessSpec& process = processes_[index];
    if (exit == 0) {
      Tell(absl::StrCat(process.name, " done"));
    } else if (exit == static_cast<int>(ExitCode::kTemporary)) {
      waiting_.push_back(index);
      Tell(absl::StrCat(process.name, " ended with ", exit, ", is started again"));
    } else if (++failures_[index] < options_.attempts && !IsHopeless(exit)) {
      waiting_.push_back(index);
      Tell(absl::StrCat(process.name, " failed with ", exit, " (", process.log_file, "), is started again"));
    } else {
      is_hopeless_ = is_hopeless_ || IsHopeless(exit);
      const std::string reason = LastWords(process.log_file);
      absl::StrAppend(&failed_, failed_.empty() ? "" : "; ", process.name, " failed with ", exit, " (see ",
                      process.log_file, ")", reason);
      Tell(absl::StrCat(process.name, " failed with ", exit, " for good", reason));
    }
  }

  void StopAll() {
    for (const auto& [pid, index] : running_) kill(pid, SIGTERM);
    for (const auto& [pid, index] : running_) waitpid(pid, nullptr, 0);
    running_.clear();
  }

  void Tell(const std::string& text) const {
    if (options_.on_change) options_.on_change(text);
  }

  const std::vector<ProcessSpec>& processes_;
  const PoolOptions& options_;
  std::deque<size_t> waiting_;
  std::map<pid_t, size_t> running_;
  std::vector<int> failures_;
  std::string failed_;
  bool is_hopeless_ = false;
};

}  // namespace

absl::Status RunProcesses(const std::vector<ProcessSpec>& processes, const PoolOptions& options) {
  return Pool(processes, options).Run();
}

}  // namespace candor
