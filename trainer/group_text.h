// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/model/model_spec.h"

namespace candor {

// "NAME=CLASS,CLASS,...", as "drivable=road,road_marking", the classes by their names in `classes`. InvalidArgument
// names the text and the rule, or the class that is none; what else a group has to be is ValidateModelSpec's.
absl::StatusOr<ClassGroup> ParseGroup(absl::string_view text, const std::vector<ClassSpec>& classes);

}  // namespace candor
