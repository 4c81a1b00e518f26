// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/slurm_executor.h"

#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "trainer/service/run_record.h"
#include "trainer/training/run_folder.h"
#include "trainer/training/spawn_process.h"

namespace candor {
namespace {

constexpr char kEnv[] = "/usr/bin/env";  // finds a program in PATH
constexpr int64_t kMaxBytes = 1 << 20;

// What a program printed on both streams. Unknown, with its last line: it did not end with 0.
absl::StatusOr<std::string> OutputOf(const std::string& name, std::vector<std::string> argv, const RunPlace& place) {
  const std::string file = absl::StrCat(place.folder, "/.", name, ".out");
  std::error_code error;
  std::filesystem::remove(file, error);
  ASSIGN_OR_RETURN(const pid_t pid, SpawnProcess({name, std::move(argv), file}));
  int status = 0;
  while (waitpid(pid, &status, 0) != pid) {
    if (errno != EINTR) return absl::UnknownError(absl::StrCat(name, ": its end was lost"));
  }
  if (ExitCodeOf(status) != 0) {
    return absl::UnknownError(absl::StrCat(name, " ended with ", ExitCodeOf(status), ": ", LastLine(file)));
  }
  return ReadFile(file, kMaxBytes);
}

// "members=12 distillation=13" to "12 13".
absl::StatusOr<std::string> ParseSubmission(const std::string& output) {
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" ="));
    int64_t members = 0;
    int64_t distillation = 0;
    if (words.size() == 4 && words[0] == "members" && absl::SimpleAtoi(words[1], &members) &&
        words[2] == "distillation" && absl::SimpleAtoi(words[3], &distillation)) {
      return absl::StrCat(members, " ", distillation);
    }
  }
  return absl::UnknownError(
      absl::StrCat("submit.sh named no jobs, but said: ", absl::StrReplaceAll(output.substr(0, 200), {{"\n", " "}})));
}

// Whether Slurm's name of a job's state is one of a job that has not ended.
bool IsAlive(absl::string_view state) {
  static const auto& alive = *new std::set<absl::string_view>{
      "PENDING",  "RUNNING",      "CONFIGURING",   "COMPLETING", "REQUEUED",  "REQUEUE_HOLD", "REQUEUE_FED",
      "RESIZING", "SPECIAL_EXIT", "RESV_DEL_HOLD", "SIGNALING",  "STAGE_OUT", "STOPPED",      "SUSPENDED"};
  return alive.count(state) > 0;
}

std::string JobsOf(const std::string& handle) { return absl::StrReplaceAll(handle, {{" ", ","}}); }

}  // namespace

absl::StatusOr<std::string> SlurmExecutor::Start(const RunPlace& place) {
  std::vector<std::string> argv = {options_.submit,
                                   "--config",
                                   absl::StrCat(place.folder, "/", kConfigFile),
                                   "--run",
                                   place.folder,
                                   "--members",
                                   absl::StrCat(place.members),
                                   "--train",
                                   options_.train};
  if (options_.at_once > 0) argv.insert(argv.end(), {"--at-once", absl::StrCat(options_.at_once)});
  if (!options_.sbatch_options.empty()) {
    argv.push_back("--");
    argv.insert(argv.end(), options_.sbatch_options.begin(), options_.sbatch_options.end());
  }
  ASSIGN_OR_RETURN(const std::string output, OutputOf("submit", std::move(argv), place));
  return ParseSubmission(output);
}

absl::StatusOr<Execution> SlurmExecutor::Look(const RunPlace& place, const std::string& handle) {
  using State = Execution::State;
  const auto states = OutputOf(
      "squeue", {kEnv, "squeue", "--noheader", "--states=all", "--format=%T", absl::StrCat("--jobs=", JobsOf(handle))},
      place);
  // Slurm forgets jobs some time after their end.
  const bool is_forgotten = !states.ok() && absl::StrContains(states.status().message(), "Invalid job id");
  if (!states.ok() && !is_forgotten) return absl::UnavailableError(states.status().message());
  if (states.ok()) {
    for (const absl::string_view state : absl::StrSplit(*states, '\n', absl::SkipWhitespace())) {
      if (IsAlive(state)) return Execution{};
    }
  }
  if (std::filesystem::exists(StudentModel(place.folder) + "/model.json")) return Execution{State::kDone, ""};
  return Execution{State::kFailed, absl::StrCat("Slurm's jobs ", absl::StrReplaceAll(handle, {{" ", " and "}}),
                                                " ended without a student; see the logs in ", place.folder, "/slurm")};
}

void SlurmExecutor::Stop(const RunPlace& place, const std::string& handle) {
  std::vector<std::string> argv = {kEnv, "scancel"};
  for (const absl::string_view job : absl::StrSplit(handle, ' ')) argv.emplace_back(job);
  const auto output = OutputOf("scancel", std::move(argv), place);
  if (!output.ok()) LogWarning("cannot cancel", {{"jobs", handle}, {"error", output.status().message()}});
}

}  // namespace candor
