// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "trainer/service/run_executor.h"

namespace candor {

// Runs `candor-train ensemble` on this machine. Its processes share a lock on RUN/.processes.lock, so that whoever
// looks, another service after a crash of this one included, knows whether any of them lives.
class LocalExecutor : public RunExecutor {
 public:
  // `train` is candor-train's path; `jobs` the members of a run that train at once, 0: one a core.
  LocalExecutor(std::string train, int jobs) : train_(std::move(train)), jobs_(jobs) {}

  const char* name() const override { return "local"; }
  absl::StatusOr<std::string> Start(const RunPlace& place) override;
  absl::StatusOr<Execution> Look(const RunPlace& place, const std::string& handle) override;
  void Stop(const RunPlace& place, const std::string& handle) override;
  bool OutlivesService() const override { return false; }

 private:
  const std::string train_;
  const int jobs_;
  std::map<std::string, int> ended_;  // handle to exit code, of our own children that were waited for
};

}  // namespace candor
