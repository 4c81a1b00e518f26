// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace candor {

// A run as an executor needs it.
struct RunPlace {
  std::string folder;  // absolute
  int members = 0;
};

// What has become of a started run.
struct Execution {
  enum class State {
    kRunning,
    kDone,         // teacher and student are there
    kInterrupted,  // ended before its time and to be started again: it goes on from its checkpoints
    kFailed,
  };

  State state = State::kRunning;
  std::string message;  // one line; kFailed: the reason
};

// Who starts and watches the processes of a run. Everything goes by the run's folder and a handle, a text that outlives
// the service. Thread-compatible.
class RunExecutor {
 public:
  virtual ~RunExecutor() = default;

  virtual const char* name() const = 0;

  // Starts the run, or goes on with it, and returns its handle. Aborted: something trains in its folder already; try
  // again later. Other errors are for good.
  virtual absl::StatusOr<std::string> Start(const RunPlace& place) = 0;

  // Unavailable: it cannot be told now.
  virtual absl::StatusOr<Execution> Look(const RunPlace& place, const std::string& handle) = 0;

  // Asks what runs to save its checkpoints and end; Look tells when it has. A second call may cost the checkpoints.
  virtual void Stop(const RunPlace& place, const std::string& handle) = 0;

  // Whether runs go on, and can be looked at by another process, when the service ends.
  virtual bool OutlivesService() const = 0;
};

}  // namespace candor
