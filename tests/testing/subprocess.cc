// SPDX-License-Identifier: Apache-2.0
#include "tests/testing/subprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include "gtest/gtest.h"

extern char** environ;

namespace candor {

Subprocess::Subprocess(const std::vector<std::string>& argv) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "pipe2 failed";
    return;
  }
  out_ = pipe_ends[0];
  // Standard error goes to a file: nobody has to drain it while the program runs.
  char name[] = "/tmp/candor_test_stderr_XXXXXX";
  close(mkstemp(name));
  err_file_ = name;

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1);
  posix_spawn_file_actions_addopen(&actions, 2, name, O_WRONLY | O_TRUNC, 0600);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int error = posix_spawn(&pid_, argv[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  if (error != 0) {
    pid_ = -1;
    ADD_FAILURE() << argv[0] << ": cannot be started, error " << error;
  }
}

Subprocess::~Subprocess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) close(out_);
  if (!err_file_.empty()) unlink(err_file_.c_str());
}

std::string Subprocess::ReadLine() {
  while (true) {
    if (const size_t end = pending_.find('\n'); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    char buffer[4096];
    const ssize_t count = read(out_, buffer, sizeof(buffer));
    if (count <= 0) return std::exchange(pending_, "");
    pending_.append(buffer, static_cast<size_t>(count));
  }
}

void Subprocess::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

Finished Subprocess::Wait() {
  Finished finished;
  finished.out = std::exchange(pending_, "");
  char buffer[4096];
  for (ssize_t count = 0; (count = read(out_, buffer, sizeof(buffer))) > 0;) {
    finished.out.append(buffer, static_cast<size_t>(count));
  }
  if (pid_ > 0) {
    int status = 0;
    waitpid(pid_, &status, 0);
    finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    pid_ = -1;
  }
  std::ostringstream err;
  err << std::ifstream(err_file_).rdbuf();
  finished.err = err.str();
  return finished;
}

int64_t Subprocess::PeakMemory() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

Finished RunProgram(const std::vector<std::string>& argv) { return Subprocess(argv).Wait(); }

}  // namespace candor
