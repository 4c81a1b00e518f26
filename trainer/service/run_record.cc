// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/run_record.h"

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

constexpr int kFormatVersion = 1;
constexpr int64_t kMaxBytes = 1 << 20;
constexpr std::pair<RunState, const char*> kStates[] = {
    {RunState::kQueued, "queued"},       {RunState::kRunning, "running"}, {RunState::kCancelling, "cancelling"},
    {RunState::kSucceeded, "succeeded"}, {RunState::kFailed, "failed"},   {RunState::kCancelled, "cancelled"},
};

absl::StatusOr<RunState> ParseState(const std::string& name) {
  for (const auto& [state, text] : kStates) {
    if (name == text) return state;
  }
  return absl::InvalidArgumentError(absl::StrCat("state: unknown, got '", name, "'"));
}

absl::StatusOr<RunRecord> Parse(const std::string& text) {
  RunRecord record;
  try {
    const auto json = nlohmann::json::parse(text);
    if (const int version = json.at("format_version"); version != kFormatVersion) {
      return absl::InvalidArgumentError(absl::StrCat("format_version: must be ", kFormatVersion, ", got ", version));
    }
    ASSIGN_OR_RETURN(record.state, ParseState(json.at("state")));
    json.at("message").get_to(record.message);
    json.at("handle").get_to(record.handle);
    json.at("create_time_ms").get_to(record.create_time_ms);
    json.at("start_time_ms").get_to(record.start_time_ms);
    json.at("end_time_ms").get_to(record.end_time_ms);
    json.at("starts").get_to(record.starts);
    json.at("members").get_to(record.members);
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
  return record;
}

}  // namespace

bool RunRecord::operator==(const RunRecord& other) const {
  const auto tie = [](const RunRecord& r) {
    return std::tie(r.name, r.state, r.message, r.handle, r.create_time_ms, r.start_time_ms, r.end_time_ms, r.starts,
                    r.members);
  };
  return tie(*this) == tie(other);
}

const char* NameOf(RunState state) {
  for (const auto& [known, text] : kStates) {
    if (state == known) return text;
  }
  return "unknown";
}

bool HasEnded(RunState state) {
  return state == RunState::kSucceeded || state == RunState::kFailed || state == RunState::kCancelled;
}

absl::Status CheckName(absl::string_view field, absl::string_view name) {
  constexpr size_t kMost = 64;
  const auto is_allowed = [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.'; };
  if (!name.empty() && name.size() <= kMost && absl::ascii_isalnum(name[0]) &&
      std::all_of(name.begin(), name.end(), is_allowed)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be 1 to ", kMost,
                                                 " letters, digits, '-', '_' and '.', beginning with a letter or "
                                                 "digit, got '",
                                                 name.substr(0, kMost), "'"));
}

absl::StatusOr<RunRecord> ReadRecord(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kRecordFile);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxBytes));
  absl::StatusOr<RunRecord> record = Parse(text);
  if (!record.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", record.status().message()));
  record->name = std::filesystem::path(folder).filename();
  return record;
}

absl::Status WriteRecord(const std::string& folder, const RunRecord& record) {
  const nlohmann::ordered_json json = {{"format_version", kFormatVersion},
                                       {"state", NameOf(record.state)},
                                       {"message", record.message},
                                       {"handle", record.handle},
                                       {"create_time_ms", record.create_time_ms},
                                       {"start_time_ms", record.start_time_ms},
                                       {"end_time_ms", record.end_time_ms},
                                       {"starts", record.starts},
                                       {"members", record.members}};
  return WriteFileAtomically(absl::StrCat(folder, "/", kRecordFile),
                             json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace candor
