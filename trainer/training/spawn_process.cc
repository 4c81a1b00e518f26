// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/spawn_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace candor {

absl::StatusOr<pid_t> SpawnProcess(const ProcessSpec& process, int inherited) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, process.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  if (inherited >= 0) posix_spawn_file_actions_adddup2(&files, inherited, STDERR_FILENO + 1);
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
  if (error == 0) return pid;
  return absl::DataLossError(absl::StrCat(process.name, ": cannot start ", process.argv[0], " with its log in ",
                                          process.log_file, ": ", std::strerror(error)));
}

int ExitCodeOf(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

std::string LastLine(const std::string& log_file) {
  constexpr size_t kMost = 500;
  std::ifstream log(log_file);
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line.substr(0, kMost);
  }
  return last;
}

}  // namespace candor
