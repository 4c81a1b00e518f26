// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/types/span.h"
#include "server/execution/inference_job.h"

namespace candor {

// Runs jobs of one model and padded size together; one result a job. Never throws. A job whose caller gave up or whose
// deadline passes does not stop the others; once that holds for all, the model stops before its next member. If the
// batch fails, its jobs run one by one, so that each has the answer or failure of its own.
std::vector<absl::StatusOr<Segmentation>> RunBatch(absl::Span<const InferenceJob* const> jobs);

// That a job's deadline has passed.
absl::Status Late();

}  // namespace candor
