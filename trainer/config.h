// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/train_options.h"

namespace candor {

// Reads a TrainerConfig strictly, applies `overrides` (each a text proto such as "epochs: 3", a later one wins) and
// checks every value. NotFound: no such file. InvalidArgument: "field: rule, value", or the place of a syntax error.
absl::StatusOr<TrainOptions> ReadTrainConfig(const std::string& path, const std::vector<std::string>& overrides);

}  // namespace candor
