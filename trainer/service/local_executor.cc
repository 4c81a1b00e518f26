// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/local_executor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/exit_code.h"
#include "core/base/status_macros.h"
#include "trainer/service/run_record.h"
#include "trainer/training/run_folder.h"
#include "trainer/training/spawn_process.h"

namespace candor {
namespace {

// A file descriptor, closed at the end.
class File {
 public:
  explicit File(int number) : number_(number) {}
  ~File() {
    if (number_ >= 0) close(number_);
  }
  File(File&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  File& operator=(File&&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::string LogOf(const RunPlace& place) { return absl::StrCat(place.folder, "/log.txt"); }

// When the process began, in the kernel's ticks: with its number it names one process for good. "" if there is none.
std::string StartOf(const std::string& pid) {
  std::string line;
  std::getline(std::ifstream(absl::StrCat("/proc/", pid, "/stat")), line);
  // The program's name is in brackets and may hold anything; the 20th field after it is the time.
  const std::vector<std::string> fields = absl::StrSplit(line.substr(line.rfind(')') + 1), ' ');
  constexpr size_t kStartTime = 20;
  return fields.size() > kStartTime ? fields[kStartTime] : "";
}

struct Handle {
  std::string pid;
  std::string start;
};

Handle Parse(const std::string& handle) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(handle, absl::MaxSplits(' ', 1));
  return {parts.first, parts.second};
}

// The run's lock, for whom it is handed to and their children. Aborted: a process of the run lives. Unavailable: it
// cannot be told.
absl::StatusOr<File> TakeLock(const RunPlace& place) {
  const std::string path = absl::StrCat(place.folder, "/.processes.lock");
  File file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (file.number() < 0) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  if (flock(file.number(), LOCK_EX | LOCK_NB) == 0) return file;
  return absl::AbortedError("waits for processes that train in its folder");
}

Execution Judge(const RunPlace& place, std::optional<int> exit) {
  using State = Execution::State;
  if (std::filesystem::exists(StudentModel(place.folder) + "/model.json") && exit.value_or(0) == 0) {
    return {State::kDone, ""};
  }
  if (!exit.has_value()) return {State::kInterrupted, "its processes ended with the service before"};
  if (*exit == static_cast<int>(ExitCode::kTemporary)) return {State::kInterrupted, "stopped, goes on"};
  const std::string reason(absl::StripPrefix(LastLine(LogOf(place)), "candor-train: "));
  return {State::kFailed, absl::StrCat("candor-train ended with ", *exit, reason.empty() ? "" : ": ", reason)};
}

}  // namespace

absl::StatusOr<std::string> LocalExecutor::Start(const RunPlace& place) {
  ASSIGN_OR_RETURN(const File lock, TakeLock(place));
  std::vector<std::string> argv = {train_,  "ensemble",  "--config", absl::StrCat(place.folder, "/", kConfigFile),
                                   "--run", place.folder};
  if (jobs_ > 0) argv.insert(argv.end(), {"--jobs", absl::StrCat(jobs_)});
  ASSIGN_OR_RETURN(const pid_t pid, SpawnProcess({"run", std::move(argv), LogOf(place)}, lock.number()));
  return absl::StrCat(pid, " ", StartOf(absl::StrCat(pid)));
}

absl::StatusOr<Execution> LocalExecutor::Look(const RunPlace& place, const std::string& handle) {
  int pid = 0;
  int status = 0;
  if (absl::SimpleAtoi(Parse(handle).pid, &pid) && ended_.count(handle) == 0 && waitpid(pid, &status, WNOHANG) == pid) {
    ended_[handle] = ExitCodeOf(status);
  }
  const absl::Status lock = TakeLock(place).status();
  if (absl::IsAborted(lock)) return Execution{};
  RETURN_IF_ERROR(lock);
  const auto ended = ended_.extract(handle);
  return Judge(place, ended.empty() ? std::nullopt : std::optional<int>(ended.mapped()));
}

void LocalExecutor::Stop(const RunPlace& /*place*/, const std::string& handle) {
  const Handle process = Parse(handle);
  int pid = 0;
  if (!absl::SimpleAtoi(process.pid, &pid) || process.start.empty() || StartOf(process.pid) != process.start) return;
  kill(pid, SIGTERM);
}

}  // namespace candor
