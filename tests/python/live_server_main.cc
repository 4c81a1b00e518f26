// SPDX-License-Identifier: Apache-2.0
//
// tests/server's live server as a program, for clients in other languages: prints the addresses of gRPC and metrics,
// does what its input says, each line answered with "ok", and ends with it.
#include <iostream>
#include <string>

#include "core/base/log.h"
#include "tests/server/live_server.h"

int main() {
  candor::SetLogLevel(candor::LogLevel::kError);
  candor::LiveServer live([](candor::v1::ServerConfig* config) {
    config->set_system_shared_memory(true);
    config->set_log_level("error");
  });
  std::cout << live.server().grpc_address() << " " << live.server().metrics_address() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "block") live.street().Block();
    if (line == "release") live.street().Release();
    std::cout << "ok" << std::endl;
  }
  return 0;
}
