// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trainer/service/run_executor.h"

namespace candor {

// Hands runs to Slurm: an array of jobs for the members, then a job for the distillation (deploy/slurm). Needs sbatch,
// squeue and scancel in PATH, and a file system that the nodes share.
class SlurmExecutor : public RunExecutor {
 public:
  struct Options {
    std::string submit;  // path of deploy/slurm/submit.sh
    std::string train;   // candor-train's path on the nodes
    int at_once = 0;     // members of a run at once; 0: as Slurm likes
    std::vector<std::string> sbatch_options;
  };

  explicit SlurmExecutor(Options options) : options_(std::move(options)) {}

  const char* name() const override { return "slurm"; }
  absl::StatusOr<std::string> Start(const RunPlace& place) override;
  absl::StatusOr<Execution> Look(const RunPlace& place, const std::string& handle) override;
  void Stop(const RunPlace& place, const std::string& handle) override;
  bool OutlivesService() const override { return true; }

 private:
  const Options options_;
};

}  // namespace candor
