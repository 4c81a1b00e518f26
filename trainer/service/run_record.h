// SPDX-License-Identifier: Apache-2.0
//
// What the service keeps of a run, in RUN/run.json. How far it has come is in the folders of its trainings.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

// Numbers of candor.v1.RunState.
enum class RunState { kQueued = 1, kRunning = 2, kCancelling = 3, kSucceeded = 4, kFailed = 5, kCancelled = 6 };

// "queued", "running", ...
const char* NameOf(RunState state);
bool HasEnded(RunState state);

struct RunRecord {
  std::string name;
  RunState state = RunState::kQueued;
  std::string message;         // one line, for people
  std::string handle;          // of its executor, for what trains it now; "" if nothing does
  int64_t create_time_ms = 0;  // Unix time
  int64_t start_time_ms = 0;   // of the first start; 0: not yet
  int64_t end_time_ms = 0;     // 0: not yet
  int starts = 0;
  int members = 0;

  bool operator==(const RunRecord& other) const;
};

// InvalidArgument, naming `field`: not 1 to 64 letters, digits, '-', '_' and '.', or not beginning with a letter or
// digit. A good one is no path that leads elsewhere.
absl::Status CheckName(absl::string_view field, absl::string_view name);

inline constexpr char kRecordFile[] = "run.json";
inline constexpr char kConfigFile[] = "config.textproto";

// NotFound: no run.json. InvalidArgument: it breaks its format. The name is the folder's.
absl::StatusOr<RunRecord> ReadRecord(const std::string& folder);
// In one step, as WriteFileAtomically.
absl::Status WriteRecord(const std::string& folder, const RunRecord& record);

}  // namespace candor
