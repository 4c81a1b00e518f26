// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"
#include "core/uncertainty/make_predictor.h"

namespace candor {

// Makes reducers for predictors on `device`, which PrepareDevice gave. FailedPrecondition: our CUDA library is missing.
absl::StatusOr<ReducerFactory> ReducersFor(Device device);

}  // namespace candor
