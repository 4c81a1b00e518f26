// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/execution/inference_job.h"

namespace candor {

// Runs jobs of one model and padded size together, until the device has all that it needs. Never throws. A job whose
// caller gave up or whose deadline passes does not stop the others; once that holds for all, the model stops before its
// next member.
absl::StatusOr<PendingAnswers> StartBatch(absl::Span<const InferenceJob* const> jobs);

using JobResults = std::vector<absl::StatusOr<Segmentation>>;  // one a job

// What came of it, on any thread; waits for the device. Unset: the batch of several has failed, and its jobs have to
// run one by one, so that each has the answer or failure of its own. Never throws.
std::optional<JobResults> TakeResults(absl::Span<const InferenceJob* const> jobs,
                                      absl::StatusOr<PendingAnswers> started);

// Runs each job by itself. Never throws.
JobResults RunOneByOne(absl::Span<const InferenceJob* const> jobs);

// That a job's deadline has passed.
absl::Status Late();

}  // namespace candor
