// SPDX-License-Identifier: Apache-2.0
//
// The real candor-server on free ports of this machine.
#pragma once

#include <string>
#include <vector>

#include "tests/testing/subprocess.h"

namespace candor {

// Its command line: on the CPU, port 0 for both addresses, a `--bundle` for each, then `more`.
std::vector<std::string> ServerCommand(const std::vector<std::string>& bundles,
                                       const std::vector<std::string>& more = {});

// Listens when it is constructed; test failure if it does not come to that. Killed by the destructor.
class ServerProgram {
 public:
  explicit ServerProgram(const std::vector<std::string>& bundles, const std::vector<std::string>& more = {});

  Subprocess& process() { return process_; }
  const std::string& address() const { return address_; }  // HOST:PORT of gRPC
  const std::string& metrics_address() const { return metrics_address_; }

 private:
  Subprocess process_;
  std::string address_;
  std::string metrics_address_;
};

}  // namespace candor
