// SPDX-License-Identifier: Apache-2.0
//
// The class list as JSON, [{"name": "road", "colour": [128, 64, 128]}, ...]: one form in model.json and in files of its
// own.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "nlohmann/json.hpp"

namespace candor {

inline constexpr size_t kMinClasses = 2;
inline constexpr size_t kMaxClasses = 255;  // 255 is "no label" in a byte map

// Errors begin with `path`, which is that of the list.
absl::StatusOr<std::vector<ClassSpec>> ClassesFromJson(const nlohmann::json& value, const std::string& path);
nlohmann::ordered_json ClassesToJson(const std::vector<ClassSpec>& classes);

// 2 to 255 classes; names unique, not empty, UTF-8.
absl::Status CheckClasses(const std::vector<ClassSpec>& classes, const std::string& path);

}  // namespace candor
