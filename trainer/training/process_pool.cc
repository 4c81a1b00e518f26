// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/process_pool.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <fstream>
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

// The exit code, or 128 + the signal's number.
int ExitOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

bool IsHopeless(int exit) {
  return exit == static_cast<int>(ExitCode::kUsage) || exit == static_cast<int>(ExitCode::kConfiguration);
}

// ": " and what a process said last, of one that failed mostly the reason; "" if it said nothing.
std::string LastWords(const std::string& log_file) {
  constexpr size_t kMost = 500;
  std::ifstream log(log_file);
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line.substr(0, kMost);
  }
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
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, process.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0644);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    // A group of its own: Ctrl-C on the terminal reaches only the parent, which hands it on in order.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::vector<char*> argv;
    for (const std::string& argument : process.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int error = posix_spawn(&pid, argv[0], &files, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) {
      return absl::DataLossError(absl::StrCat(process.name, ": cannot start ", process.argv[0], " with its log in ",
                                              process.log_file, ": ", std::strerror(error)));
    }
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
      Ended(index, ExitOf(status));
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
