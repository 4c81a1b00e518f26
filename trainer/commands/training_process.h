// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trainer/training/process_pool.h"

namespace candor {

// A training that this program starts as a process of its own.
struct TrainingCall {
  std::string name;     // for people
  std::string command;  // "member" or "distill"
  std::string config;
  std::vector<std::string> overrides;  // --set
  std::string run;
  int threads = 1;
};

// This program again; `more` are further arguments, its output goes to FOLDER/log.txt.
ProcessSpec TrainingProcess(const TrainingCall& call, const std::string& folder, const std::vector<std::string>& more);

// The pool's options that all commands share: stops at the signals of stop_signal.h, logs what happens.
PoolOptions LoggedPool(int at_most);

}  // namespace candor
