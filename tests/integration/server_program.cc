// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/server_program.h"

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace candor {

std::vector<std::string> ServerCommand(const std::vector<std::string>& bundles, const std::vector<std::string>& more) {
  std::vector<std::string> argv = {
      CANDOR_BIN_DIR "/candor-server", "--device", "cpu", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"};
  for (const std::string& bundle : bundles) argv.insert(argv.end(), {"--bundle", bundle});
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

ServerProgram::ServerProgram(const std::vector<std::string>& bundles, const std::vector<std::string>& more)
    : process_(ServerCommand(bundles, more)) {
  const std::string line = process_.ReadLine();
  // "listening grpc=HOST:PORT metrics=HOST:PORT"
  const std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" ="));
  if (words.size() != 5 || words[0] != "listening") {
    ADD_FAILURE() << line << process_.Wait().err;
    return;
  }
  address_ = words[2];
  metrics_address_ = words[4];
}

}  // namespace candor
