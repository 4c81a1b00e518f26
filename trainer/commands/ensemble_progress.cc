// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/ensemble_progress.h"

#include "absl/strings/str_format.h"
#include "trainer/training/run_progress.h"

namespace candor {

std::string EnsembleProgress(const std::string& run, int members) {
  int done = 0;
  double sum = 0;
  std::string others;
  for (ProgressReader& reader : RunReaders(run, members, /*and_student=*/false)) {
    const TrainingProgress& progress = reader.Read();
    const double share = progress.ShareDone();
    sum += share;
    if (progress.is_done) {
      ++done;
    } else if (share > 0) {
      absl::StrAppendFormat(&others, "%s %s %.0f %%", others.empty() ? ";" : ",", progress.name, 100 * share);
    }
  }
  return absl::StrFormat("members %d of %d done, %.0f %% in all%s", done, members, 100 * sum / members, others);
}

}  // namespace candor
