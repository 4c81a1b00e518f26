// SPDX-License-Identifier: Apache-2.0
//
// Where a run stands, from what its processes have written.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace candor {

// One training of a run, as of the last line of its log.
struct TrainingProgress {
  std::string name;      // "member 3", "distillation"
  bool is_done = false;  // its model is finished
  int64_t step = 0;
  int64_t steps = 0;  // in all; 0: it has not begun
  double loss = std::numeric_limits<double>::quiet_NaN();
  double images_per_second = 0;
  double validation_miou = std::numeric_limits<double>::quiet_NaN();

  double ShareDone() const;  // [0, 1]
};

// Follows one training: reads its events.jsonl on from where it was. Files that are not there or half written count as
// nothing done. Thread-compatible.
class ProgressReader {
 public:
  // `folder` holds events.jsonl; `model` is the bundle that is there once it is done.
  ProgressReader(std::string name, const std::string& folder, std::string model);

  const TrainingProgress& Read();

 private:
  void Take(const std::string& line);

  const std::string log_;
  const std::string model_;
  TrainingProgress progress_;
  int64_t offset_ = 0;      // in the log: everything before it was read
  uint64_t log_inode_ = 0;  // a run that goes on writes its log anew
};

// Readers of a run's members, in order, and, if `and_student`, of its distillation.
std::vector<ProgressReader> RunReaders(const std::string& run, int members, bool and_student);

}  // namespace candor
