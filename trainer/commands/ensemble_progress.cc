// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/ensemble_progress.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "nlohmann/json.hpp"
#include "trainer/training/run_folder.h"

namespace candor {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 30;

// The share of its steps that a member has logged, in [0, 1].
double ShareDone(const std::string& folder) {
  const auto text = ReadFile(absl::StrCat(folder, "/events.jsonl"), kMaxBytes);
  if (!text.ok()) return 0;
  double steps = 0;
  double step = 0;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const auto event = nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (!event.is_object()) continue;
    steps = event.value("steps", steps);
    step = event.value("step", step);
  }
  return steps > 0 ? std::clamp(step / steps, 0.0, 1.0) : 0;
}

}  // namespace

std::string EnsembleProgress(const std::string& run, int members) {
  int done = 0;
  double sum = 0;
  std::string others;
  for (int i = 0; i < members; ++i) {
    if (std::filesystem::exists(absl::StrCat(MemberModel(run, i), "/model.json"))) {
      ++done;
      sum += 1;
      continue;
    }
    const double share = ShareDone(MemberFolder(run, i));
    sum += share;
    if (share > 0) absl::StrAppendFormat(&others, "%s member %d %.0f %%", others.empty() ? ";" : ",", i, 100 * share);
  }
  return absl::StrFormat("members %d of %d done, %.0f %% in all%s", done, members, 100 * sum / members, others);
}

}  // namespace candor
