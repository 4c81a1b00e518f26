// SPDX-License-Identifier: Apache-2.0
//
// fault_server CONFIGURATION [FILES]: the live server of the tests as a process of its own, for faults that strike a
// whole process. CONFIGURATION is the text of a ServerConfig; with FILES it may have so many file descriptors more than
// at the start. Prints its gRPC address and, in a second line, that of its metrics, "off" unless configured. The student
// is blocked until SIGUSR1. SIGTERM drains and ends it; so does the end of its caller.
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "google/protobuf/text_format.h"
#include "tests/server/live_server.h"

namespace {

rlim_t OpenFiles() {
  rlim_t count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  candor::LiveServer live([argv](candor::v1::ServerConfig* config) {
    config->set_metrics_listen("off");
    if (!google::protobuf::TextFormat::MergeFromString(argv[1], config)) std::exit(2);
  });
  live.street().Block();
  if (argc == 3) {
    const rlim_t files = OpenFiles() + static_cast<rlim_t>(std::atoi(argv[2]));
    const rlimit limit = {files, files};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  }
  std::cout << live.server().grpc_address() << std::endl << live.server().metrics_address() << std::endl;
  for (int signal = 0; signal != SIGTERM;) {
    sigwait(&signals, &signal);
    if (signal == SIGUSR1) live.street().Release();
  }
  live.server().Drain();
  return 0;
}
