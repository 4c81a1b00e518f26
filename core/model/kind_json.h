// SPDX-License-Identifier: Apache-2.0
//
// An uncertainty kind as JSON: its name.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/model/uncertainty_kind.h"
#include "nlohmann/json.hpp"

namespace candor {

// Errors begin with `path`.
absl::StatusOr<UncertaintyKind> ReadKind(const nlohmann::json& value, const std::string& path);

}  // namespace candor
