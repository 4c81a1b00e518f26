// SPDX-License-Identifier: Apache-2.0
//
// flooded_server LIMIT: a server that may have LIMIT file descriptors more than it has at the start, probes itself
// every 200 ms, prints its address and serves until it is killed, or its caller ends.
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

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
  if (argc != 2) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  candor::LiveServer live([](candor::v1::ServerConfig* config) {
    config->set_metrics_listen("off");
    config->set_self_probe_interval_ms(200);
    config->set_self_probe_failures(3);
  });
  const rlim_t files = OpenFiles() + static_cast<rlim_t>(std::atoi(argv[1]));
  const rlimit limit = {files, files};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  std::cout << live.server().grpc_address() << std::endl;
  for (;;) pause();
}
