// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/training_process.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "trainer/stop_signal.h"

namespace candor {

ProcessSpec TrainingProcess(const TrainingCall& call, const std::string& folder, const std::vector<std::string>& more) {
  ProcessSpec process;
  process.name = call.name;
  process.log_file = absl::StrCat(folder, "/log.txt");
  process.argv = {std::filesystem::read_symlink("/proc/self/exe").string(),
                  call.command,
                  "--config",
                  call.config,
                  "--run",
                  call.run,
                  "--threads",
                  absl::StrCat(call.threads)};
  for (const std::string& text : call.overrides) {
    process.argv.emplace_back("--set");
    process.argv.push_back(text);
  }
  process.argv.insert(process.argv.end(), more.begin(), more.end());
  return process;
}

PoolOptions LoggedPool(int at_most) {
  PoolOptions pool;
  pool.at_most = at_most;
  pool.stop_requested = StopRequested;
  pool.on_change = [](const std::string& text) {
    if (!text.empty()) LogInfo(text);
  };
  return pool;
}

}  // namespace candor
