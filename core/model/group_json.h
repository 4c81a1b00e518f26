// SPDX-License-Identifier: Apache-2.0
//
// Groups of classes as JSON, [{"name": "drivable", "classes": [0, 9]}, ...].
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "nlohmann/json.hpp"

namespace candor {

// Shape and types only. Errors begin with `path`, which is that of the list.
absl::StatusOr<std::vector<ClassGroup>> GroupsFromJson(const nlohmann::json& value, const std::string& path);
nlohmann::ordered_json GroupsToJson(const std::vector<ClassGroup>& groups);

// The rules at ClassGroup, for a model of `class_count` classes.
absl::Status CheckGroups(const std::vector<ClassGroup>& groups, int class_count, const std::string& path);

}  // namespace candor
