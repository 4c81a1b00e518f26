// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "trainer/training/training_run.h"

namespace candor {

// Makes `job` that of a member beyond the first of a deep sub-ensemble (Valdenegro-Toro 2019): it starts with the
// encoder of the run's member 0, as that is stored, which stays as it is; decoder and heads are random. The job's
// identity names those weights. FailedPrecondition: member 0 is not finished. Errors of ReadBundle.
absl::Status StartFromFirstMember(const std::string& run, TrainingJob* job);

}  // namespace candor
